// SPDX-License-Identifier: GPL-2.0
//! Granite 3 (IBM, 2024).

use super::{Architecture, Scale};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const GRANITE: Architecture = Architecture {
    name: b"granite",
    keys: &[
        (b"attention.scale", Rule::Read),
        (b"embedding_scale", Rule::Read),
        (b"residual_scale", Rule::Read),
        (b"logit_scale", Rule::Read),
    ],
    embedding_scale: Scale::Key(b"embedding_scale", 1.0),
    residual_scale: Scale::Key(b"residual_scale", 1.0),
    logit_scale: Scale::Inverse(b"logit_scale"),
    ..Architecture::BASE
};
