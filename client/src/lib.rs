// SPDX-License-Identifier: MIT OR Apache-2.0
//! A language model as a file: the library of `/dev/sislm`.
//!
//! A [`Device`] answers questions about the module and manages its models. A [`Session`] is one
//! open file with a context of its own: it is given a prompt and hands out the text as it comes.
//!
//! ```no_run
//! use sislm::{Device, SamplingConfig, SessionConfig};
//!
//! fn main() -> Result<(), sislm::Error> {
//!     let device = Device::open(Device::PATH)?;
//!     let config = SessionConfig { sampling: SamplingConfig::greedy(), ..Default::default() };
//!     let mut session = device.session(&config)?;
//!     for text in session.prompt(b"Once upon a time")? {
//!         print!("{}", text?);
//!     }
//!     println!("\n{} tokens", session.outcome()?.ids.len());
//!     Ok(())
//! }
//! ```
//!
//! Token ids are `u32`, probabilities and fractions integers in millionths, times nanoseconds, as
//! in `module/uapi/sislm.h`. Every error says in a sentence what to do next ([`Error`]).

mod adapter;
mod adapter_refusal;
mod alias;
mod chain;
mod chat;
mod chat_model;
mod commitment;
mod contents;
mod device;
mod digest;
mod draw;
mod embedding;
mod error;
mod evaluation;
mod finish;
mod guide;
mod kv;
mod metadata;
mod metrics;
mod millionths;
mod model;
mod name;
mod note;
mod open_file;
mod outcome;
mod plain;
mod pooling;
mod range;
mod receipt;
mod record;
mod records;
mod refusal;
mod request;
mod samplers;
mod sampling;
mod selection;
mod session;
mod shadow;
mod simd;
mod slot;
mod source;
mod split;
mod turn;
mod uapi;
mod utf8;
mod vocabulary;

pub use adapter::{Adapter, AdapterFile};
pub use alias::Alias;
pub use chain::{Chain, ChainError};
pub use chat::{
    render_if_asked, ChatTemplate, Convention, Message, Rendered, Renderer, TemplateError, Tool,
    ToolCall, CALL_MARK,
};
pub use chat_model::{ChatError, ChatModel};
pub use commitment::Commitment;
pub use contents::Contents;
pub use device::{Device, Load, LoadOptions, Progress};
pub use digest::{hex, Digest};
pub use draw::{draw, is_compared};
pub use embedding::Embedding;
pub use error::Error;
pub use evaluation::{Candidate, Evaluation};
pub use finish::Finish;
pub use guide::{
    Allowed, Grammar, GrammarError, GrammarTokens, Guidance, Guide, GuidedTurn, Likely, Token,
};
pub use kv::KvType;
pub use metadata::METADATA_KEYS;
pub use metrics::{Histogram, Metrics};
pub use millionths::Millionths;
pub use model::Model;
pub use name::ModelName;
pub use note::Note;
pub use open_file::OpenFile;
pub use outcome::{Outcome, Timings};
pub use pooling::Pooling;
pub use range::OutOfRange;
pub use receipt::{Receipt, NONCE_BYTES};
pub use record::{Record, RecordKind};
pub use records::Records;
pub use refusal::Refusal;
pub use samplers::{Bias, Dry, DynamicTemperature, Mirostat, Samplers, Xtc};
pub use sampling::SamplingConfig;
pub use selection::{Choices, Reason};
pub use session::Session;
pub use session::{Canceller, SessionConfig, Tokenize};
pub use shadow::{Estimate, Shadow, CONCLUSIVE_TOKENS, CONCLUSIVE_TURNS};
pub use simd::Simd;
pub use slot::Slot;
pub use source::{Source, SourceError};
pub use split::{name as split_name, SplitError, SplitReason};
pub use turn::Turn;
pub use uapi::{
    sislm_bench as InnerLoop, sislm_limits as Limits, sislm_query as Query,
    sislm_selftest as Selftest, sislm_statistics as Statistics,
};
pub use uapi::{
    SISLM_ADAPTERS_MAX as ADAPTERS_MAX, SISLM_BENCH_DEQUANTIZE as BENCH_DEQUANTIZE,
    SISLM_BENCH_MULTIPLY as BENCH_MULTIPLY, SISLM_BREAKER_BYTES as BREAKER_BYTES,
    SISLM_BREAKER_MAX as BREAKER_MAX, SISLM_ENDS_MAX as ENDS_MAX, SISLM_RANK_MAX as RANK_MAX,
    SISLM_STOP_BYTES as STOP_BYTES, SISLM_STOP_MAX as STOP_MAX, SISLM_TARGETS_MAX as TARGETS_MAX,
    SISLM_TOP_MAX as TOP_MAX, SISLM_WEIGHT_MAX as WEIGHT_MAX,
};
pub use utf8::Joiner;
pub use vocabulary::Vocabulary;
