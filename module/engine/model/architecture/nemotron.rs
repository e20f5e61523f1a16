// SPDX-License-Identifier: GPL-2.0
//! Nemotron-4 (Parmar et al., 2024). The weights of its norms hold the 1 that is added to them.

use super::{Activation, Architecture, Gate, Norm, Positions};

/// The architecture.
pub(super) const NEMOTRON: Architecture = Architecture {
    name: b"nemotron",
    norm: Norm::LayerWithBias,
    positions: Positions::Halves,
    activation: Activation::ReluSquared,
    gate: Gate::None,
    ..Architecture::BASE
};
