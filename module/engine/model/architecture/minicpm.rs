// SPDX-License-Identifier: GPL-2.0
//! MiniCPM (Hu et al., 2024).

use super::{Architecture, Scale};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const MINICPM: Architecture = Architecture {
    name: b"minicpm",
    keys: &[
        (b"embedding_scale", Rule::Read),
        (b"residual_scale", Rule::Read),
        (b"logit_scale", Rule::Read),
    ],
    embedding_scale: Scale::Key(b"embedding_scale", 12.0),
    residual_scale: Scale::KeyOrPerRootOfLayers(b"residual_scale", 1.4),
    logit_scale: Scale::InverseOrWidthPer(b"logit_scale", 256.0),
    ..Architecture::BASE
};
