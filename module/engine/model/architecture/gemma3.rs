// SPDX-License-Identifier: GPL-2.0
//! Gemma 3 (Gemma Team, 2025).

use super::{
    Activation, Architecture, Cap, HeadNorm, Norms, Positions, Scale, ScoreScale, WindowedRotation,
    Windows,
};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const GEMMA3: Architecture = Architecture {
    name: b"gemma3",
    keys: &[
        (b"final_logit_softcapping", Rule::Read),
        (b"attention.sliding_window_pattern", Rule::Read),
        (b"rope.freq_base_swa", Rule::Read),
    ],
    norms: Norms::Around,
    positions: Positions::Halves,
    windowed_rotation: WindowedRotation::Unscaled(10_000.0),
    head_norm: HeadNorm::Head,
    windows: Windows::AllButOneOf(6),
    score_scale: ScoreScale::WidthOfEachWithLayers(62),
    activation: Activation::Gelu,
    embedding_scale: Scale::RootOfWidth,
    logit_cap: Cap::Key(b"final_logit_softcapping", 0.0),
    ..Architecture::BASE
};
