// SPDX-License-Identifier: GPL-2.0
//! StableLM (Stability AI, 2023).

use super::{Architecture, Branches, Norm, Positions};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const STABLELM: Architecture = Architecture {
    name: b"stablelm",
    // The second norm decides.
    keys: &[(b"use_parallel_residual", Rule::Free)],
    norm: Norm::LayerWithBias,
    branches: Branches::ParallelWithoutNorm,
    positions: Positions::Halves,
    ..Architecture::BASE
};
