// SPDX-License-Identifier: GPL-2.0
//! The wall: the ABI between the engine and the module.
//!
//! Included as text by both sides, so that there is one definition. Pointers and integers
//! only: the module is compiled for a target without floating point, the engine for one with it.
//!
//! Rules of every call: made in task context inside a NEON section with FPCR = 0; memory handed
//! in is aligned to [`ALIGN`], zeroed the first time, exclusive to the call unless said, and does
//! not move while the engine refers to it. A function that may take longer than a chunk has a
//! `budget` and is called again while it returns [`MORE`].
//!
//! Every function returns a status: [`DONE`], [`MORE`], or a negative error of [`fault`].

/// Raised with every change of a function or type below; compared at insmod.
pub const ABI: u32 = 8;
/// Version of the numerics contract.
pub const NUMERICS: u32 = 1;
/// Alignment in bytes of every block of memory handed to the engine.
pub const ALIGN: usize = 64;
/// Size in bytes of a segment of the model arena, unless something else is asked for.
pub const SEGMENT_BYTES: u32 = 32 << 20;
/// Largest size in bytes of a segment.
pub const SEGMENT_BYTES_MAX: u32 = 1 << 30;
/// Positions of a KV block.
pub const BLOCK_POSITIONS: u32 = 32;
/// Most rows of one step.
pub const ROWS_MAX: u32 = 64;
/// Most rows of one step for which logits are computed.
pub const LOGITS_MAX: u32 = 8;
/// Most bytes of text of one token.
pub const TOKEN_BYTES_MAX: usize = 1024;
/// Most ids that [`Facts::ends`] holds.
pub const ENDS_MAX: usize = 16;
/// Strings of [`Samplers::breaker`].
pub const BREAKERS_MAX: usize = 8;
/// Bytes of one of them.
pub const BREAKER_BYTES: usize = 32;
/// Most biases of one draw.
pub const BIASES_MAX: u32 = 1024;
/// The bias of a token that is never drawn.
pub const BIAS_BANNED: i32 = i32::MIN;
/// Most adapters of a model.
pub const ADAPTERS_MAX: usize = 4;
/// Unit of fractions and log-probabilities.
pub const MILLION: u32 = 1_000_000;
/// Most bytes asked for by one [`Read`]; the size of the module's read buffer.
pub const READ_BYTES_MAX: usize = 4 << 20;

/// The call is finished.
pub const DONE: i32 = 0;
/// The budget is used up: call again.
pub const MORE: i32 = 1;

/// Negative statuses.
pub mod fault {
    /// The model or the parameters are refused: [`super::Refusal`] or [`super::OutOfRange`] says why.
    pub const REFUSED: i32 = -1;
    /// A non-finite activation.
    pub const NUMERIC: i32 = -2;
    /// More ids than the workspace or the caller's limit holds.
    pub const CAPACITY: i32 = -3;
    /// An argument outside its documented range.
    pub const ARGUMENT: i32 = -4;
    /// The header is longer than what was handed in: read at least [`super::Header::need`] bytes.
    pub const SHORT: i32 = -5;
}

/// What [`Facts::notes`] tells, as `SISLM_NOTE_*` of the UAPI header.
pub mod note {
    /// The BOS id is no token.
    pub const BOS: u32 = 1 << 0;
    /// The EOS id is no token.
    pub const EOS: u32 = 1 << 1;
    /// The unknown token's id is no token.
    pub const UNKNOWN: u32 = 1 << 2;
    /// Another id that ends a turn is no token.
    pub const END: u32 = 1 << 3;
    /// A token whose text ends a turn was not marked as a control token.
    pub const MARK: u32 = 1 << 4;
    /// There are no scores: all are 0.
    pub const SCORES: u32 = 1 << 5;
    /// The sliding window is passed over: all positions are seen.
    pub const WINDOW: u32 = 1 << 6;
    /// No pre-tokenizer is named: text is cut as llama.cpp does it then.
    pub const PRETOKENIZER: u32 = 1 << 7;
}

/// Why a model is refused; `reason` is a `SISLM_LOAD_*` of the UAPI header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Refusal {
    /// `SISLM_LOAD_*`.
    pub reason: u32,
    /// `SISLM_DETAIL_*`.
    pub kind: u32,
    /// Offset, count, block or value that belongs to the reason.
    pub detail: u64,
    /// Key or tensor, cut to fit, NUL-terminated.
    pub subject: [u8; 64],
    /// Text of the key, cut to fit, NUL-terminated.
    pub value: [u8; 32],
}

/// Limits a model must keep, from module parameters and the machine.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Limits {
    /// Bytes of the whole file.
    pub file_bytes: u64,
    /// Most bytes of the packed model.
    pub model_bytes: u64,
    /// Most positions of a context.
    pub context: u32,
    /// `SISLM_SIMD_*` level the weights are packed for; 1 to 4.
    pub simd: u32,
    /// Size in bytes of a segment of the arena: a multiple of [`ALIGN`], at most
    /// [`SEGMENT_BYTES_MAX`]. No bit of a result depends on it.
    pub segment_bytes: u32,
    /// Zero.
    pub pad: u32,
}

/// Progress of the header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    /// With [`fault::SHORT`]: bytes from the start of the file that are needed at least.
    pub need: u64,
}

/// What must be allocated for the model, known once the header is parsed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Plan {
    /// Bytes of the model descriptor.
    pub model_bytes: u64,
    /// Bytes of the arena, over all segments; each but the last is [`Limits::segment_bytes`].
    pub arena_bytes: u64,
    /// Part of the arena that holds weights, norms and biases.
    pub weight_bytes: u64,
    /// Bytes of the vocabulary tables.
    pub vocabulary_bytes: u64,
    /// Bytes of the largest part that must lie in one segment: no segment can be smaller.
    pub item_bytes: u64,
}

/// A string of the metadata by its place in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Text {
    /// Offset of its first byte; 0 when there is none.
    pub offset: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Text {
    /// None.
    pub const NONE: Self = Self {
        offset: 0,
        bytes: 0,
    };
}

/// A part of a text in which names of control tokens are text: `struct sislm_literal` of the UAPI
/// header, field by field.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Literal {
    /// Offset of its first byte.
    pub offset: u32,
    /// Bytes, at least 1.
    pub length: u32,
}

/// One segment of the arena.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Segment {
    /// First byte.
    pub base: *mut u8,
    /// Size in bytes.
    pub bytes: usize,
}

/// The next piece of the file the engine wants, in file order and without gaps.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Read {
    /// Offset in the file.
    pub offset: u64,
    /// Bytes, at most [`READ_BYTES_MAX`]; 0 at the end of the file.
    pub bytes: u32,
    /// Chunks it is packed in; 0 when its bytes are only hashed.
    pub chunks: u32,
}

/// Facts of a loaded model; ids are `!0` where there is none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Facts {
    /// `SISLM_ARCH_*`; 0 for those that have only a name.
    pub architecture: u32,
    /// `SISLM_TOKENIZER_*`.
    pub tokenizer: u32,
    /// Transformer layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub embedding: u32,
    /// Attention heads.
    pub heads: u32,
    /// Key and value heads.
    pub kv_heads: u32,
    /// Dimensions of a head.
    pub head_size: u32,
    /// Width of the feed-forward layer.
    pub feed_forward: u32,
    /// Number of token ids.
    pub vocabulary: u32,
    /// Most positions: the model's own, within [`Limits::context`].
    pub context: u32,
    /// Beginning-of-sequence token.
    pub bos: u32,
    /// End-of-sequence token.
    pub eos: u32,
    /// `general.file_type`.
    pub file_type: u32,
    /// Number of tokens that end a turn.
    pub end_count: u32,
    /// Number of weights.
    pub parameters: u64,
    /// `general.name`, cut to fit, NUL-terminated.
    pub title: [u8; 64],
    /// The first of the tokens that end a turn.
    pub ends: [u32; ENDS_MAX],
    /// What was not taken as the file has it ([`note`]).
    pub notes: u32,
    /// Largest rank of an adapter, which has but this, a title and a number of weights; 0 of a model.
    pub rank: u32,
    /// Name of the architecture, NUL-terminated.
    pub architecture_name: [u8; 24],
    /// `SISLM_POOLING_*` of the file.
    pub pooling: u32,
    /// Passes that each row goes through before its hidden state is there: 1, or as many as layers and one
    /// more where all positions of a text attend to all.
    pub passes: u32,
}

impl Facts {
    /// All zero.
    pub const NONE: Self = Self {
        architecture: 0,
        tokenizer: 0,
        layers: 0,
        embedding: 0,
        heads: 0,
        kv_heads: 0,
        head_size: 0,
        feed_forward: 0,
        vocabulary: 0,
        context: 0,
        bos: 0,
        eos: 0,
        file_type: 0,
        end_count: 0,
        parameters: 0,
        title: [0; 64],
        ends: [0; ENDS_MAX],
        notes: 0,
        rank: 0,
        architecture_name: [0; 24],
        pooling: 0,
        passes: 0,
    };
}

/// Sizes of a step.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StepSize {
    /// Bytes of the step.
    pub step_bytes: u64,
    /// Bytes of one KV block of the type asked for.
    pub kv_block_bytes: u64,
    /// Bytes of the state of a sequence, beside its blocks; 0 where the model has none.
    pub state_bytes: u64,
}

/// Shape of a step, fixed when it is made.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct StepShape {
    /// Most rows, 1 to [`ROWS_MAX`].
    pub rows: u32,
    /// Most rows with logits, 1 to [`LOGITS_MAX`].
    pub logits: u32,
    /// Worker slots, at least 1; a slot serves one task at a time.
    pub workers: u32,
    /// Most positions of a sequence in it.
    pub context: u32,
}

/// Compute the logits of this row.
pub const ROW_LOGITS: u32 = 1;
/// Compute the last hidden state of this row: what is left of it behind the last norm.
pub const ROW_HIDDEN_STATE: u32 = 2;

/// One row of a step: a token of a sequence.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Row {
    /// Base address of each KV block of the sequence, positions ascending; blocks that hold
    /// positions up to `last` are valid. Rows of one sequence share the table.
    pub blocks: *const *mut u8,
    /// The state of the sequence, zeroed when it is made; null where the model has none. Where it has
    /// one, rows of one sequence are neighbours, without a gap. The first follows the rows of one of
    /// the last two passes, or is at position 0.
    pub state: *mut u8,
    /// Position, below the shape's context. Rows of one sequence: positions ascend with the row,
    /// and all positions before the first one have been computed.
    pub position: u32,
    /// Token id, below the vocabulary.
    pub token: u32,
    /// `SISLM_KV_*` of the sequence.
    pub kv_type: u32,
    /// [`ROW_LOGITS`], [`ROW_HIDDEN_STATE`].
    pub flags: u32,
    /// Last position that the row attends to: its own, or where all attend to all the last of the
    /// text.
    pub last: u32,
    /// Zero.
    pub pad: u32,
    /// What each adapter of the step is multiplied by, millionths; 0 is off.
    pub scales: [i32; ADAPTERS_MAX],
}

/// How the next token is drawn: `struct sislm_sampling` of the UAPI header, field by field.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Sampling {
    /// Millionths; 0 is greedy.
    pub temperature: u32,
    /// Candidates kept; 0 for all.
    pub top_k: u32,
    /// Millionths.
    pub top_p: u32,
    /// Millionths.
    pub min_p: u32,
    /// Millionths.
    pub typical_p: u32,
    /// Millionths.
    pub repeat_penalty: u32,
    /// Tokens looked back at.
    pub repeat_last: u32,
    /// Millionths.
    pub presence_penalty: i32,
    /// Millionths.
    pub frequency_penalty: i32,
    /// Zero.
    pub pad: u32,
}

/// The samplers that are off unless asked for: `struct sislm_samplers` of the UAPI header, field by
/// field.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Samplers {
    /// Millionths; 0 is off.
    pub dry_multiplier: u32,
    /// Millionths.
    pub dry_base: u32,
    /// Tokens.
    pub dry_allowed_length: u32,
    /// Tokens looked back at.
    pub dry_last: u32,
    /// Millionths; 0 is off.
    pub top_n_sigma: u32,
    /// Millionths; 0 is off.
    pub xtc_probability: u32,
    /// Millionths.
    pub xtc_threshold: u32,
    /// Millionths; 0 is off.
    pub dynatemp_range: u32,
    /// Millionths.
    pub dynatemp_exponent: u32,
    /// 0 is off, else 2.
    pub mirostat: u32,
    /// Millionths of a bit.
    pub mirostat_tau: u32,
    /// Millionths.
    pub mirostat_eta: u32,
    /// Strings of `breaker` in use.
    pub breaker_count: u32,
    /// Zero.
    pub pad: u32,
    /// Bytes of each.
    pub breaker_length: [u32; BREAKERS_MAX],
    /// Text that DRY does not look beyond.
    pub breaker: [[u8; BREAKER_BYTES]; BREAKERS_MAX],
}

impl Samplers {
    /// All of them off.
    pub const OFF: Self = Self {
        dry_multiplier: 0,
        dry_base: 0,
        dry_allowed_length: 0,
        dry_last: 0,
        top_n_sigma: 0,
        xtc_probability: 0,
        xtc_threshold: 0,
        dynatemp_range: 0,
        dynatemp_exponent: 0,
        mirostat: 0,
        mirostat_tau: 0,
        mirostat_eta: 0,
        breaker_count: 0,
        pad: 0,
        breaker_length: [0; BREAKERS_MAX],
        breaker: [[0; BREAKER_BYTES]; BREAKERS_MAX],
    };
}

/// What is added to the logit of a token: `struct sislm_bias` of the UAPI header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bias {
    /// The token.
    pub id: u32,
    /// Millionths, or [`BIAS_BANNED`].
    pub bias: i32,
}

impl Sampling {
    /// The most likely token, always.
    pub const GREEDY: Self = Self {
        temperature: 0,
        top_k: 0,
        top_p: MILLION,
        min_p: 0,
        typical_p: MILLION,
        repeat_penalty: MILLION,
        repeat_last: 64,
        presence_penalty: 0,
        frequency_penalty: 0,
        pad: 0,
    };
    /// Temperature 0.8, top-k 40, top-p 0.9: what a file that is never configured uses.
    pub const BALANCED: Self = Self {
        temperature: 800_000,
        top_k: 40,
        top_p: 900_000,
        ..Self::GREEDY
    };
    /// Temperature 1.2, top-k 100, top-p 0.95.
    pub const CREATIVE: Self = Self {
        temperature: 1_200_000,
        top_k: 100,
        top_p: 950_000,
        ..Self::GREEDY
    };
}

/// In which structure a member is refused.
pub mod part {
    /// [`super::Sampling`]
    pub const SAMPLING: u32 = 0;
    /// [`super::Samplers`]
    pub const SAMPLERS: u32 = 1;
    /// The list of [`super::Bias`].
    pub const BIASES: u32 = 2;
}

/// Why a way of drawing is refused.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange {
    /// [`part`]
    pub part: u32,
    /// Place of the member in it, in bytes.
    pub offset: u32,
    /// The least value it may have.
    pub least: i64,
    /// The largest.
    pub most: i64,
}

/// What one draw of a turn hands to the next: the state of the named generator (PCG-XSH-RR 64/32,
/// O'Neill 2014), and what mirostat has learnt.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Generator {
    /// State of the generator.
    pub state: u64,
    /// Its stream; odd.
    pub stream: u64,
    /// Mirostat's limit in bits, as the bits of an f64; all ones at first.
    pub limit: u64,
}

/// A token and its log-probability in millionths.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Candidate {
    /// Token id.
    pub id: u32,
    /// ln p, millionths, 0 or negative.
    pub log_probability: i32,
}

/// Result of a self-test.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SelfTest {
    /// Comparisons made.
    pub cases: u64,
    /// Comparisons that differed.
    pub failures: u64,
}

const _: () = assert!(size_of::<Refusal>() == 112 && size_of::<Limits>() == 32);
const _: () = assert!(size_of::<Plan>() == 40 && size_of::<Segment>() == 16);
const _: () = assert!(size_of::<Text>() == 16 && size_of::<Literal>() == 8);
const _: () = assert!(size_of::<Read>() == 16 && size_of::<Facts>() == 232);
const _: () = assert!(size_of::<Row>() == 56 && size_of::<StepShape>() == 16);
const _: () = assert!(size_of::<Sampling>() == 40 && size_of::<Generator>() == 24);
const _: () = assert!(size_of::<Samplers>() == 344 && size_of::<Bias>() == 8);
const _: () = assert!(size_of::<OutOfRange>() == 24);

/// Hands the list of the wall's functions to `$receiver`, which declares or checks them.
///
/// `*mut u8` named `load`, `model`, `step`, `work` is memory whose layout only the engine knows.
#[macro_export]
macro_rules! sislm_wall {
    ($receiver:ident) => {
        $receiver! {
            /// The engine's [`ABI`].
            fn sislm_engine_abi() -> u32;

            // Loading, in this order: load_size, load_begin, load_header until DONE (SHORT: read
            // more, call again with the longer prefix), load_plan, load_attach, load_vocabulary
            // until DONE, then load_next and load_pack until a read of 0 bytes, load_finish until DONE.
            // load_next may be one piece ahead of load_pack. An adapter is loaded likewise, without
            // load_vocabulary.

            /// Checks the first `bytes` of the file (at least 24, else SHORT with need) and gives
            /// the size of the load state in `size`.
            fn sislm_engine_load_size(prefix: *const u8, bytes: usize, header: *mut Header, size: *mut u64, refusal: *mut Refusal) -> i32;
            /// Starts a load in zeroed memory of that size: of a model where `base` is null, else of an adapter
            /// of that model, which stays until the adapter is gone.
            fn sislm_engine_load_begin(load: *mut u8, load_bytes: usize, limits: *const Limits, prefix: *const u8, bytes: usize, base: *const u8) -> i32;
            /// Parses the header, `prefix` being the file from its start; about `budget` items.
            fn sislm_engine_load_header(load: *mut u8, prefix: *const u8, bytes: usize, budget: u32, header: *mut Header, refusal: *mut Refusal) -> i32;
            /// After the header is parsed: where the string of a metadata key is.
            fn sislm_engine_load_string(load: *mut u8, prefix: *const u8, bytes: usize, key: *const u8, key_bytes: usize, text: *mut Text) -> i32;
            /// Checks the model's shape and computes what it needs.
            fn sislm_engine_load_plan(load: *mut u8, prefix: *const u8, bytes: usize, plan: *mut Plan, refusal: *mut Refusal) -> i32;
            /// Lays the model out in zeroed memory; `segments`, what they describe, and `vocabulary`
            /// must live as long as the model.
            fn sislm_engine_load_attach(load: *mut u8, model: *mut u8, model_bytes: usize, segments: *const Segment, count: u32, vocabulary: *mut u8, vocabulary_bytes: usize) -> i32;
            /// Builds the vocabulary tables from the header; about `budget` entries.
            fn sislm_engine_load_vocabulary(load: *mut u8, prefix: *const u8, bytes: usize, budget: u32, refusal: *mut Refusal) -> i32;
            /// The next piece to read.
            fn sislm_engine_load_next(load: *mut u8, read: *mut Read) -> i32;
            /// Packs chunk `chunk` of that of the two pieces last asked for which is at `offset`;
            /// chunks may run at the same time on several tasks, but not beside other calls.
            fn sislm_engine_load_pack(load: *const u8, data: *const u8, bytes: usize, offset: u64, chunk: u32, refusal: *mut Refusal) -> i32;
            /// Makes the tables of rotations, about `budget` entries; then checks that all is there and
            /// seals the model.
            fn sislm_engine_load_finish(load: *mut u8, budget: u32, facts: *mut Facts, refusal: *mut Refusal) -> i32;

            // Text.

            /// Size of the workspace for tokenizing `bytes` of text.
            fn sislm_engine_tokenize_size(model: *const u8, bytes: usize, size: *mut u64) -> i32;
            /// Starts; `flags` are SISLM_TOKENIZE_*. `literal` are `count` parts of the text, ascending and
            /// apart. Both must live until the ids are taken.
            fn sislm_engine_tokenize_begin(work: *mut u8, work_bytes: usize, model: *const u8, text: *const u8, bytes: usize, literal: *const Literal, count: usize, flags: u32) -> i32;
            /// Goes on; about `budget` units of work.
            fn sislm_engine_tokenize_run(work: *mut u8, budget: u32) -> i32;
            /// After DONE: the ids, valid as long as the workspace.
            fn sislm_engine_tokenize_ids(work: *const u8, ids: *mut *const u32, count: *mut u32) -> i32;
            /// What a token is, by its number in tokenizer.ggml.token_type, and whether it ends a turn: `ends`
            /// is 1 or 0.
            fn sislm_engine_token(model: *const u8, id: u32, kind: *mut u32, ends: *mut u32) -> i32;
            /// Bytes of one token: at most TOKEN_BYTES_MAX are written, `length` set. Flag
            /// SISLM_TOKENIZE_BOS: first of a text (the space prefix is removed). Control tokens
            /// have no text, but with SISLM_TOKENIZE_CONTROL their names.
            fn sislm_engine_detokenize(model: *const u8, id: u32, flags: u32, text: *mut u8, capacity: usize, length: *mut u32) -> i32;

            // A step. After prepare: for each stage in order, every chunk once, by any slot, and a
            // stage starts when all chunks of the one before are done.

            /// Sizes for a shape and a KV type. `adapters` are `adapter_count` of the model's, at most ADAPTERS_MAX.
            fn sislm_engine_step_size(model: *const u8, adapters: *const *const u8, adapter_count: u32, shape: *const StepShape, kv_type: u32, size: *mut StepSize) -> i32;
            /// Makes a step in zeroed memory, with the adapters that its size was asked for.
            fn sislm_engine_step_begin(step: *mut u8, step_bytes: usize, model: *const u8, adapters: *const *const u8, adapter_count: u32, shape: *const StepShape) -> i32;
            /// Takes the rows of the next forward pass; `stages` is set. `pass` is 0, or that of
            /// [`Facts::passes`] which comes next for all rows, after the one before was made for all of
            /// the text.
            fn sislm_engine_step_prepare(step: *mut u8, rows: *const Row, count: u32, pass: u32, stages: *mut u32) -> i32;
            /// Chunks of a stage, at least 1, and the weight bytes (or as much work) of each.
            fn sislm_engine_step_stage(step: *const u8, stage: u32, chunks: *mut u32, work: *mut u64) -> i32;
            /// Runs `count` chunks from chunk `first` on; called by several tasks at the same time.
            fn sislm_engine_step_chunks(step: *const u8, stage: u32, slot: u32, first: u32, count: u32) -> i32;
            /// After the last stage: NUMERIC when row `row` met a non-finite activation; the row's
            /// logits (f32, vocabulary) when it asked for them, else a null pointer.
            fn sislm_engine_step_logits(step: *const u8, row: u32, logits: *mut *const u8) -> i32;

            /// After the last stage of the last pass: the hidden state (f32, width) of a row that asked for it.
            fn sislm_engine_step_hidden_state(step: *const u8, row: u32, state: *mut *const u8) -> i32;
            /// Adds a hidden state of `width` values to as many `sums` (f64).
            fn sislm_engine_pool_add(sums: *mut u8, state: *const u8, width: u32) -> i32;
            /// Writes the mean of the `count` hidden states in `sums` to `mean` (f32).
            fn sislm_engine_pool_mean(mean: *mut u8, sums: *const u8, width: u32, count: u32) -> i32;

            // From logits to tokens.

            /// Size of the workspace for sampling and scoring.
            fn sislm_engine_sample_size(model: *const u8, size: *mut u64) -> i32;
            /// Checks the ranges; with REFUSED, `refused` says which is left. `biases` are `count`.
            fn sislm_engine_sampling_check(sampling: *const Sampling, samplers: *const Samplers, biases: *const Bias, count: u32, refused: *mut OutOfRange) -> i32;
            /// Seeds a generator.
            fn sislm_engine_generator(generator: *mut Generator, seed: u64) -> i32;
            /// Starts what was checked; `history` holds the tokens of the context, oldest first;
            /// `allowed` a bit for each token that may be drawn, in words of 32, or null for all. All but
            /// `sampling` live to the end of the draw.
            fn sislm_engine_sample_begin(work: *mut u8, work_bytes: usize, model: *const u8, logits: *const u8, sampling: *const Sampling, samplers: *const Samplers, biases: *const Bias, bias_count: u32, history: *const u32, count: u32, allowed: *const u32) -> i32;
            /// Goes on, about `budget` candidates; after DONE `token` is set and the generator
            /// has advanced by one draw (by none when greedy, by two with XTC).
            fn sislm_engine_sample_run(work: *mut u8, budget: u32, generator: *mut Generator, token: *mut u32) -> i32;
            /// Starts scoring: ln p of `target` (!0 for none) and the `top` most likely tokens.
            fn sislm_engine_score_begin(work: *mut u8, work_bytes: usize, model: *const u8, logits: *const u8, target: u32, top: u32) -> i32;
            /// Goes on; after DONE `target` and `top` entries at `candidates` are set; entries past the
            /// vocabulary have the id !0.
            fn sislm_engine_score_run(work: *mut u8, budget: u32, target: *mut i32, candidates: *mut Candidate) -> i32;

            // Checks.

            /// Size of the workspace of the self-test and of this bench; of the self-test alone when
            /// all are 0.
            fn sislm_engine_check_size(format: u32, rows: u32, columns: u32, groups: u32, size: *mut u64) -> i32;
            /// Makes `budget` more comparisons of level `simd` with the scalar twins, from `cases` on; DONE
            /// when 512 are made.
            fn sislm_engine_selftest(work: *mut u8, work_bytes: usize, simd: u32, budget: u32, result: *mut SelfTest) -> i32;
            /// Goes on with one inner loop over made-up data, about 64 KiB of weights; DONE at the end of
            /// each pass. The data are made before the first pass. Without rows the weights are dequantized.
            fn sislm_engine_bench(work: *mut u8, work_bytes: usize, simd: u32, format: u32, rows: u32, columns: u32, groups: u32) -> i32;
        }
    };
}
