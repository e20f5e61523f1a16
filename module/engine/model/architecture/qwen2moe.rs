// SPDX-License-Identifier: GPL-2.0
//! Qwen1.5-MoE and Qwen2-MoE (Qwen Team, 2024).

use super::{Architecture, ExpertWeights, Experts, Positions};

/// The architecture.
pub(super) const QWEN2MOE: Architecture = Architecture {
    name: b"qwen2moe",
    positions: Positions::Halves,
    experts: Some(Experts {
        weights: ExpertWeights::Softmax,
        shared: true,
    }),
    ..Architecture::BASE
};
