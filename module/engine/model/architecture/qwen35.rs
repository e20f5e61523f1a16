// SPDX-License-Identifier: GPL-2.0
//! Qwen3.5 (Qwen Team, 2026).

use super::{Architecture, HeadNorm, Mixing, Positions};
use crate::model::part::Part;
use crate::model::rule::Rule;

/// The architecture.
pub(super) const QWEN35: Architecture = Architecture {
    name: b"qwen35",
    keys: &[
        (b"full_attention_interval", Rule::Read),
        (b"ssm.conv_kernel", Rule::Read),
        (b"ssm.state_size", Rule::Read),
        (b"ssm.group_count", Rule::Read),
        (b"ssm.time_step_rank", Rule::Read),
        (b"ssm.inner_size", Rule::Read),
        // Text has one position, so all sections turn by it.
        (b"rope.dimension_sections", Rule::Free),
        (b"nextn_predict_layers", Rule::Numbers(&[0.0])),
    ],
    names: &[
        (b"attn_qkv.weight", Part::MixerInput),
        (b"ssm_conv1d.weight", Part::Convolution),
        (b"ssm_out.weight", Part::MixerOutput),
        (b"post_attention_norm.weight", Part::FeedForwardNorm),
    ],
    mixing: Mixing::DeltaOrAttention(4),
    gated_queries: true,
    positions: Positions::Halves,
    head_norm: HeadNorm::Head,
    ..Architecture::BASE
};
