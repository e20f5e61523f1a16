// SPDX-License-Identifier: GPL-2.0
//! Gemma 2 (Gemma Team, 2024).

use super::{Activation, Architecture, Cap, Norms, Positions, Scale, ScoreScale, Windows};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const GEMMA2: Architecture = Architecture {
    name: b"gemma2",
    keys: &[
        (b"attn_logit_softcapping", Rule::Read),
        (b"final_logit_softcapping", Rule::Read),
        (b"attention.sliding_window_pattern", Rule::Read),
    ],
    norms: Norms::Around,
    positions: Positions::Halves,
    windows: Windows::AllButOneOfWithin(2, 4096),
    score_scale: ScoreScale::WidthOfEachWithLayers(46),
    score_cap: Cap::Key(b"attn_logit_softcapping", 50.0),
    activation: Activation::Gelu,
    embedding_scale: Scale::RootOfWidth,
    logit_cap: Cap::Key(b"final_logit_softcapping", 30.0),
    ..Architecture::BASE
};
