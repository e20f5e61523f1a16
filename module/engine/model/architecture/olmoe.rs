// SPDX-License-Identifier: GPL-2.0
//! OLMoE (Muennighoff et al., 2024).

use super::{Architecture, ExpertWeights, Experts, HeadNorm, Positions};

/// The architecture.
pub(super) const OLMOE: Architecture = Architecture {
    name: b"olmoe",
    positions: Positions::Halves,
    head_norm: HeadNorm::Row,
    experts: Some(Experts {
        weights: ExpertWeights::Softmax,
        shared: false,
    }),
    ..Architecture::BASE
};
