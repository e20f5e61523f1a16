// SPDX-License-Identifier: GPL-2.0
//! Gemma 4 (Gemma Team, 2026), without experts.

use super::{
    Activation, Architecture, Cap, HeadNorm, Norms, Positions, Scale, ScoreScale, WindowedRotation,
    Windows,
};
use crate::model::rule::Rule;

/// The architecture.
pub(super) const GEMMA4: Architecture = Architecture {
    name: b"gemma4",
    keys: &[
        (b"final_logit_softcapping", Rule::Read),
        (b"attention.sliding_window_pattern", Rule::Read),
        (b"attention.key_length_swa", Rule::Read),
        (b"attention.value_length_swa", Rule::Read),
        (b"attention.shared_kv_layers", Rule::Read),
        (b"embedding_length_per_layer_input", Rule::Read),
        (b"rope.dimension_count_swa", Rule::Read),
        (b"rope.freq_base_swa", Rule::Read),
    ],
    norms: Norms::Around,
    positions: Positions::Halves,
    windowed_rotation: WindowedRotation::Unscaled(10_000.0),
    head_norm: HeadNorm::Head,
    value_norm: true,
    layer_scale: true,
    windows: Windows::Told,
    score_scale: ScoreScale::One,
    activation: Activation::Gelu,
    embedding_scale: Scale::RootOfWidth,
    logit_cap: Cap::Key(b"final_logit_softcapping", 0.0),
    ..Architecture::BASE
};
