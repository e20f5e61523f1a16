// SPDX-License-Identifier: GPL-2.0
//! What a metadata key of an architecture is for.

/// A rule for the key whose name, after the architecture's and a dot, stands beside it.
#[cfg_attr(test, derive(Debug))]
pub enum Rule {
    /// Read where it is needed.
    Read,
    /// Carries no mathematics, or only together with a key that is refused.
    Free,
    /// A number that changes nothing when it is one of these.
    Numbers(&'static [f64]),
    /// A truth value that changes nothing when it is this.
    Truth(bool),
}

/// The end of a key's name, and its rule.
pub type Key = (&'static [u8], Rule);

/// Keys of every architecture, unless it has a rule of its own for them.
pub const COMMON: [Key; 20] = [
    (b"context_length", Rule::Read),
    (b"embedding_length", Rule::Read),
    (b"block_count", Rule::Read),
    (b"feed_forward_length", Rule::Read),
    (b"attention.head_count", Rule::Read),
    (b"attention.head_count_kv", Rule::Read),
    (b"attention.key_length", Rule::Read),
    (b"attention.value_length", Rule::Read),
    (b"attention.layer_norm_rms_epsilon", Rule::Read),
    (b"attention.layer_norm_epsilon", Rule::Read),
    (b"attention.sliding_window", Rule::Read),
    // The token list decides.
    (b"vocab_size", Rule::Free),
    (b"pooling_type", Rule::Read),
    // Where the file was converted from: rows of query and key are permuted in all of them.
    (b"tensor_data_layout", Rule::Free),
    (b"attention.causal", Rule::Truth(true)),
    (b"attention.scale", Rule::Numbers(&[0.0])),
    (b"attention.max_alibi_bias", Rule::Numbers(&[0.0])),
    (b"attention.clamp_kqv", Rule::Numbers(&[0.0])),
    (b"use_parallel_residual", Rule::Truth(false)),
    (b"logit_scale", Rule::Numbers(&[0.0, 1.0])),
];

/// Keys of every architecture with rotary positions.
pub const ROTARY: [Key; 13] = [
    (b"rope.dimension_count", Rule::Read),
    (b"rope.freq_base", Rule::Read),
    (b"rope.scaling.type", Rule::Read),
    (b"rope.scaling.factor", Rule::Read),
    (b"rope.scale_linear", Rule::Read),
    (b"rope.scaling.attn_factor", Rule::Read),
    (b"rope.scaling.original_context_length", Rule::Read),
    (b"rope.scaling.finetuned", Rule::Free),
    (b"rope.scaling.yarn_ext_factor", Rule::Numbers(&[1.0])),
    // Other engines read these of few architectures only.
    (b"rope.scaling.yarn_attn_factor", Rule::Free),
    (b"rope.scaling.yarn_beta_fast", Rule::Free),
    (b"rope.scaling.yarn_beta_slow", Rule::Free),
    (b"rope.scaling.yarn_log_multiplier", Rule::Free),
];

/// Keys of every architecture with experts.
pub const EXPERTS: [Key; 6] = [
    (b"expert_count", Rule::Read),
    (b"expert_used_count", Rule::Read),
    (b"expert_feed_forward_length", Rule::Read),
    (b"expert_shared_feed_forward_length", Rule::Read),
    (b"expert_weights_scale", Rule::Numbers(&[0.0, 1.0])),
    // Softmax.
    (b"expert_gating_func", Rule::Numbers(&[0.0, 1.0])),
];
