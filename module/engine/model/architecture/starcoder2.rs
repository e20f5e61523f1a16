// SPDX-License-Identifier: GPL-2.0
//! StarCoder2 (Lozhkov et al., 2024).

use super::{Activation, Architecture, Gate, Norm, Positions};

/// The architecture.
pub(super) const STARCODER2: Architecture = Architecture {
    name: b"starcoder2",
    norm: Norm::LayerWithBias,
    positions: Positions::Halves,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};
