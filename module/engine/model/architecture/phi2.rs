// SPDX-License-Identifier: GPL-2.0
//! Phi-2 (Microsoft, 2023).

use super::{Activation, Architecture, Branches, Gate, Norm, Positions};

/// The architecture.
pub(super) const PHI2: Architecture = Architecture {
    name: b"phi2",
    norm: Norm::LayerWithBias,
    branches: Branches::Parallel,
    positions: Positions::Halves,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};
