// SPDX-License-Identifier: GPL-2.0
//! gpt2 (Radford et al., 2019).

use super::{Activation, Architecture, Gate, Norm, Positions};

/// The architecture.
pub(super) const GPT2: Architecture = Architecture {
    name: b"gpt2",
    number: 2,
    norm: Norm::LayerWithBias,
    positions: Positions::Learned,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};
