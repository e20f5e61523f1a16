// SPDX-License-Identifier: GPL-2.0
//! gpt-oss (OpenAI, 2025).

use super::{Activation, Architecture, ExpertWeights, Experts, Positions, Windows};
use crate::model::part::Part;

/// The architecture.
pub(super) const GPT_OSS: Architecture = Architecture {
    name: b"gpt-oss",
    names: &[(b"post_attention_norm.weight", Part::FeedForwardNorm)],
    positions: Positions::Halves,
    windows: Windows::AllButOneOf(2),
    sinks: true,
    activation: Activation::ClampedSwiglu,
    experts: Some(Experts {
        weights: ExpertWeights::SoftmaxOfUsed,
        shared: false,
    }),
    ..Architecture::BASE
};
