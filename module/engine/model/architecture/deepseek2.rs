// SPDX-License-Identifier: GPL-2.0
//! DeepSeek V2 and V3 (DeepSeek-AI, 2024), with latent attention.

use super::{Architecture, ExpertWeights, Experts, Mixing, ScoreScale};
use crate::model::part::Part;
use crate::model::rule::Rule;

/// The architecture.
pub(super) const DEEPSEEK2: Architecture = Architecture {
    name: b"deepseek2",
    keys: &[
        (b"attention.q_lora_rank", Rule::Read),
        (b"attention.kv_lora_rank", Rule::Read),
        (b"attention.key_length_mla", Rule::Read),
        (b"attention.value_length_mla", Rule::Read),
        (b"rope.scaling.yarn_log_multiplier", Rule::Read),
        (b"leading_dense_block_count", Rule::Read),
        (b"expert_shared_count", Rule::Read),
        (b"expert_weights_scale", Rule::Read),
        (b"expert_weights_norm", Rule::Read),
        (b"expert_gating_func", Rule::Read),
        (b"expert_group_count", Rule::Read),
        (b"expert_group_used_count", Rule::Read),
        (b"nextn_predict_layers", Rule::Numbers(&[0.0])),
    ],
    names: &[(b"attn_output.weight", Part::MixerOutput)],
    mixing: Mixing::Latent,
    score_scale: ScoreScale::LatentKey,
    experts: Some(Experts {
        weights: ExpertWeights::Told,
        shared: true,
    }),
    ..Architecture::BASE
};
