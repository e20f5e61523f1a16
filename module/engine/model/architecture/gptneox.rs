// SPDX-License-Identifier: GPL-2.0
//! GPT-NeoX (Black et al., 2022), and Pythia.

use super::{Activation, Architecture, Branches, Gate, Norm, Positions};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const GPTNEOX: Architecture = Architecture {
    name: b"gptneox",
    keys: &[(b"use_parallel_residual", Rule::Read)],
    norm: Norm::LayerWithBias,
    branches: Branches::Told,
    positions: Positions::Halves,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};
