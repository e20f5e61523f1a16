// SPDX-License-Identifier: GPL-2.0
//! llama (Touvron et al., 2023), and what others are named after: Mistral, Mixtral, SmolLM2.

use super::{Architecture, ExpertWeights, Experts};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const LLAMA: Architecture = Architecture {
    name: b"llama",
    number: 1,
    keys: &[
        (b"attention.scale", Rule::Read),
        (b"attn_logit_softcapping", Rule::Numbers(&[0.0])),
        (b"final_logit_softcapping", Rule::Numbers(&[0.0])),
        (b"residual_scale", Rule::Numbers(&[0.0, 1.0])),
    ],
    experts: Some(Experts {
        weights: ExpertWeights::Renormalized,
        shared: false,
    }),
    ..Architecture::BASE
};
