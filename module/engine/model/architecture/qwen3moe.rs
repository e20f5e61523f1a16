// SPDX-License-Identifier: GPL-2.0
//! Qwen3-MoE (Yang et al., 2025).

use super::{Architecture, ExpertWeights, Experts, HeadNorm, Positions};

/// The architecture.
pub(super) const QWEN3MOE: Architecture = Architecture {
    name: b"qwen3moe",
    positions: Positions::Halves,
    head_norm: HeadNorm::Head,
    experts: Some(Experts {
        weights: ExpertWeights::Renormalized,
        shared: false,
    }),
    ..Architecture::BASE
};
