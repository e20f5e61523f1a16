// SPDX-License-Identifier: GPL-2.0
//! BERT (Devlin et al., 2019): an encoder.

use super::{Activation, Architecture, Gate, Norm, Norms, Positions};
use crate::model::part::Part;
use crate::model::rule::Rule;

/// The architecture.
pub(super) const BERT: Architecture = Architecture {
    name: b"bert",
    keys: &[(b"attention.causal", Rule::Truth(false))],
    names: NAMES,
    norm: Norm::LayerWithBias,
    norms: Norms::OfSums,
    causal: false,
    positions: Positions::Learned,
    activation: Activation::Gelu,
    gate: Gate::None,
    ..Architecture::BASE
};

/// What the family calls the norms of sums.
pub(super) const NAMES: &[(&[u8], Part)] = &[
    (b"attn_output_norm.weight", Part::PostAttentionNorm),
    (b"attn_output_norm.bias", Part::PostAttentionNormBias),
    (b"layer_output_norm.weight", Part::PostFeedForwardNorm),
    (b"layer_output_norm.bias", Part::PostFeedForwardNormBias),
];
