// SPDX-License-Identifier: GPL-2.0
//! MPT (MosaicML, 2023).

use super::{Activation, Architecture, Gate, Norm, Positions};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const MPT: Architecture = Architecture {
    name: b"mpt",
    keys: &[
        (b"attention.clamp_kqv", Rule::Read),
        (b"attention.max_alibi_bias", Rule::Numbers(&[8.0])),
    ],
    norm: Norm::Layer,
    positions: Positions::Slopes,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};
