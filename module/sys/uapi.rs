// SPDX-License-Identifier: GPL-2.0
//! The UAPI header's structures and constants.

use super::bindings;
pub(crate) use bindings::{
    sislm_adapter as Adapter, sislm_adapter_file as AdapterFile, sislm_alias as Alias,
    sislm_bench as Bench, sislm_bias as Bias, sislm_candidate as Candidate,
    sislm_configure as Configure, sislm_detokenize as Detokenize, sislm_evaluate as Evaluate,
    sislm_histogram as Histogram, sislm_limits as Limits, sislm_literal as Literal,
    sislm_load as Load, sislm_metadata as Metadata, sislm_metrics as Metrics, sislm_model as Model,
    sislm_next as Next, sislm_part as Part, sislm_progress as Progress, sislm_prompt as Prompt,
    sislm_query as Query, sislm_receipt as Receipt, sislm_record as Record,
    sislm_result as Outcome, sislm_run as Run, sislm_samplers as Samplers,
    sislm_sampling as Sampling, sislm_selftest as SelfTest, sislm_shadow as Shadow,
    sislm_statistics as Statistics, sislm_target as Target, sislm_tokenize as Tokenize,
    sislm_trace as Trace, sislm_unload as Unload, sislm_vocabulary as Vocabulary,
};
pub(crate) use bindings::{
    SISLM_ABI_VERSION, SISLM_ADAPTERS_MAX, SISLM_ALIAS_SET, SISLM_BENCH_DEQUANTIZE,
    SISLM_BENCH_MULTIPLY, SISLM_CANDIDATES_MAX, SISLM_CHOICES_PER_SECOND, SISLM_CHOICE_BEST,
    SISLM_CHOICE_DEADLINE, SISLM_CHOICE_LEAST, SISLM_CHOICE_MEMORY, SISLM_CHOICE_NONE,
    SISLM_CONFIGURE_AUTO, SISLM_CONFIGURE_CONTROL, SISLM_CONFIGURE_IGNORE_EOS,
    SISLM_CONFIGURE_SCALES, SISLM_CONFIGURE_SEED, SISLM_CONFIGURE_UNHELPED, SISLM_EVALUATE_EMBED,
    SISLM_FINISH_CANCELLED, SISLM_FINISH_CONTEXT, SISLM_FINISH_DEADLINE, SISLM_FINISH_ERROR,
    SISLM_FINISH_LENGTH, SISLM_FINISH_NONE, SISLM_FINISH_NUMERIC, SISLM_FINISH_STOP,
    SISLM_IOC_ALIAS, SISLM_IOC_BENCH, SISLM_IOC_CANCEL, SISLM_IOC_CONFIGURE, SISLM_IOC_DETOKENIZE,
    SISLM_IOC_EVALUATE, SISLM_IOC_LIMITS, SISLM_IOC_LOAD, SISLM_IOC_METADATA, SISLM_IOC_METRICS,
    SISLM_IOC_MODEL, SISLM_IOC_NEXT, SISLM_IOC_PROGRESS, SISLM_IOC_PROMPT, SISLM_IOC_QUERY,
    SISLM_IOC_RECEIPT, SISLM_IOC_RESET, SISLM_IOC_RESULT, SISLM_IOC_RUN, SISLM_IOC_SELFTEST,
    SISLM_IOC_SHADOW, SISLM_IOC_STATISTICS, SISLM_IOC_TOKENIZE, SISLM_IOC_TRACE, SISLM_IOC_UNLOAD,
    SISLM_IOC_VOCABULARY, SISLM_KV_F16, SISLM_KV_F32, SISLM_KV_Q8_0, SISLM_LIMITS_SET,
    SISLM_LITERAL_MAX, SISLM_LOAD_ARCHITECTURE, SISLM_LOAD_LIMIT, SISLM_LOAD_OK,
    SISLM_LOAD_REPLACE, SISLM_LOAD_SPLIT, SISLM_LOAD_TENSOR_TYPE, SISLM_LOAD_TENSOR_UNKNOWN,
    SISLM_LOAD_TOKENIZER, SISLM_LOAD_TRUNCATED, SISLM_LOAD_UNSUPPORTED, SISLM_LOAD_VECTOR_TYPE,
    SISLM_LOAD_VERSION, SISLM_METADATA_MAX, SISLM_MODEL_LEAVING, SISLM_MODEL_SHARED,
    SISLM_NOTE_METADATA, SISLM_PAIRS_MAX, SISLM_PARTS_MAX, SISLM_POOLING_FIRST, SISLM_POOLING_LAST,
    SISLM_POOLING_MEAN, SISLM_POOLING_MODEL, SISLM_POOLING_NONE, SISLM_RANK_MAX,
    SISLM_RECORD_ALIAS, SISLM_RECORD_CHOICE, SISLM_RECORD_COMPARE, SISLM_RECORD_EVALUATE,
    SISLM_RECORD_GUIDED, SISLM_RECORD_LOAD, SISLM_RECORD_LOST, SISLM_RECORD_TURN,
    SISLM_RECORD_UNLOAD, SISLM_SCALE_MAX, SISLM_SHADOWS_MAX, SISLM_SHADOW_SET,
    SISLM_SIMD_AUTOMATIC, SISLM_SIMD_DOTPROD, SISLM_SIMD_I8MM, SISLM_SIMD_NEON, SISLM_SIMD_SCALAR,
    SISLM_STOP_BYTES, SISLM_STOP_MAX, SISLM_TOKENIZE_BOS, SISLM_TOKENIZE_CONTROL, SISLM_TOP_MAX,
    SISLM_UNLOAD_DRAIN, SISLM_UNLOAD_FORCE, SISLM_WEIGHT_MAX,
};

/// Bytes of a model's name, NUL included.
pub(crate) const NAME_BYTES: usize = bindings::SISLM_NAME_MAX as usize;
/// Bytes of a name without a version, NUL included.
pub(crate) const BASE_BYTES: usize = bindings::SISLM_BASE_MAX as usize;
/// Versions that an alias gives at most.
pub(crate) const TARGETS: usize = bindings::SISLM_TARGETS_MAX as usize;
/// Bytes of the text of a metadata key in LOAD, NUL included.
pub(crate) const VALUE_BYTES: usize = bindings::SISLM_VALUE_MAX as usize;
/// Most bounds of a histogram.
pub(crate) const HISTOGRAM_BOUNDS: usize = bindings::SISLM_HISTOGRAM_BOUNDS as usize;
/// Finish reasons that are counted apart.
pub(crate) const METRICS_FINISHES: usize = bindings::SISLM_METRICS_FINISHES as usize;
/// Random bytes of a commitment.
pub(crate) const NONCE_BYTES: usize = bindings::SISLM_NONCE_SIZE as usize;
/// Stop strings of a session.
pub(crate) const STOP_STRINGS: usize = SISLM_STOP_MAX as usize;
/// Bytes of one stop string.
pub(crate) const STOP_BYTES: usize = SISLM_STOP_BYTES as usize;

/// A structure that any bytes are a valid value of, and that has no padding.
///
/// # Safety
///
/// Fixed-width integers and arrays of them only, without padding between or after.
pub(crate) unsafe trait Plain: Copy + Default {}

macro_rules! plain {
    ($($name:ty, $bytes:literal;)*) => {
        $(
            // SAFETY: By the rules of the UAPI header; its size, the sum of its members, is asserted.
            unsafe impl Plain for $name {}
            const _: () = assert!(size_of::<$name>() == $bytes);
        )*
    };
}

plain! {
    Query, 64;
    Load, 288;
    Adapter, 120;
    AdapterFile, 8;
    Part, 24;
    Unload, 72;
    Progress, 80;
    Model, 928;
    Metadata, 152;
    Vocabulary, 112;
    Sampling, 40;
    Samplers, 344;
    Bias, 8;
    Configure, 792;
    Outcome, 128;
    Run, 168;
    Tokenize, 48;
    Literal, 8;
    Prompt, 16;
    Detokenize, 32;
    Candidate, 8;
    Evaluate, 112;
    Next, 64;
    Statistics, 184;
    Limits, 88;
    SelfTest, 24;
    Bench, 48;
    Trace, 8;
    Record, 312;
    Receipt, 72;
    Histogram, 344;
    Metrics, 3408;
    Target, 72;
    Alias, 376;
    Shadow, 336;
}

// SAFETY: Integers.
unsafe impl Plain for u32 {}
// SAFETY: Integers.
unsafe impl Plain for u64 {}
// SAFETY: Integers.
unsafe impl Plain for i32 {}
// SAFETY: Integers.
unsafe impl Plain for u8 {}
