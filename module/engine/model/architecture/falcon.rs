// SPDX-License-Identifier: GPL-2.0
//! Falcon (Almazrouei et al., 2023). With two norms the first is before the feed-forward network.

use super::{Activation, Architecture, Branches, Gate, Norm, Positions};
use crate::model::part::Part;

/// The architecture.
pub(super) const FALCON: Architecture = Architecture {
    name: b"falcon",
    names: &[
        (b"attn_norm_2.weight", Part::AttentionNorm),
        (b"attn_norm_2.bias", Part::AttentionNormBias),
        (b"attn_norm.weight", Part::FeedForwardNorm),
        (b"attn_norm.bias", Part::FeedForwardNormBias),
    ],
    norm: Norm::LayerWithBias,
    branches: Branches::Parallel,
    positions: Positions::Halves,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};
