// SPDX-License-Identifier: GPL-2.0
//! EmbeddingGemma (Vera et al., 2025): Gemma 3 in which all positions attend to all.

use super::{Architecture, Windows, gemma3};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const GEMMA_EMBEDDING: Architecture = Architecture {
    name: b"gemma-embedding",
    keys: &[
        (b"attention.causal", Rule::Truth(false)),
        (b"attention.sliding_window_pattern", Rule::Read),
        (b"rope.freq_base_swa", Rule::Read),
        (b"dense_2_feat_in", Rule::Free),
        (b"dense_2_feat_out", Rule::Read),
        (b"dense_3_feat_in", Rule::Free),
        (b"dense_3_feat_out", Rule::Free),
    ],
    causal: false,
    windows: Windows::AllButOneOfAround(6),
    logit_cap: super::Cap::None,
    ..gemma3::GEMMA3
};
