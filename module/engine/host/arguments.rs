// SPDX-License-Identifier: GPL-2.0
//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sislm_engine::abi::SEGMENT_BYTES;

use crate::adapter::Adapter;
use crate::drawing::Options;
use crate::simd::Simd;

/// Runs the engine of sislm on this machine, without the kernel module.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    /// The GGUF file.
    #[arg(
        short,
        long,
        global = true,
        default_value = "test_models/kernel-docs-7m-q4_0.gguf"
    )]
    pub model: PathBuf,
    /// An adapter of the model, and what it is multiplied by, 1 when not given; may be given again.
    #[arg(long, global = true, value_name = "FILE[=SCALE]")]
    pub lora: Vec<Adapter>,
    /// Threads, this one included.
    #[arg(long, global = true, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub threads: u32,
    /// Instruction level.
    #[arg(long, global = true, value_enum, default_value_t = Simd::Automatic)]
    pub simd: Simd,
    /// Units of work of one call of a resumable function.
    #[arg(long, global = true, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    pub budget: u32,
    /// Most positions of a context, whatever the model allows.
    #[arg(long, global = true, default_value_t = 65536, value_parser = clap::value_parser!(u32).range(1..))]
    pub context_max: u32,
    /// Bytes of a segment of the memory for weights; changes no result.
    #[arg(long, global = true, default_value_t = SEGMENT_BYTES, value_parser = clap::value_parser!(u32).range(64..))]
    pub segment_bytes: u32,
    /// One JSON object on one line.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Continues a prompt.
    Infer(Box<Infer>),
    /// Computes an answer again, and compares its ids and its commitment.
    Replay(Box<Replay>),
    /// Log-probabilities of given tokens.
    Eval(Eval),
    /// Logits at every position, as raw numbers.
    Logits(Logits),
    /// The embedding of a text, as JSON.
    Embed(Embed),
    /// Text to ids.
    Tokenize {
        /// Not at position 0: no BOS, no space prefix.
        #[arg(long)]
        continued: bool,
        /// Control tokens in the text are parsed.
        #[arg(long)]
        control: bool,
        /// The text.
        text: String,
    },
    /// Ids to text.
    Detokenize {
        /// Not at position 0: a leading space stays.
        #[arg(long)]
        continued: bool,
        /// The ids, separated by commas.
        #[arg(value_delimiter = ',', required = true)]
        ids: Vec<u32>,
    },
    /// What the file holds and the memory it needs.
    Info,
    /// Compares the loops of the level with their scalar twins.
    Selftest {
        /// Comparisons, at least.
        #[arg(long, default_value_t = 1000)]
        cases: u64,
    },
    /// Times one inner loop over made-up data.
    Bench {
        /// GGUF tensor type of the weights, such as 0 for F32 and 2 for Q4_0.
        #[arg(long, default_value_t = 2)]
        format: u32,
        /// Rows of the batch.
        #[arg(long, default_value_t = 1)]
        rows: u32,
        /// Row length.
        #[arg(long, default_value_t = 2048)]
        columns: u32,
        /// Groups of 16 weight rows.
        #[arg(long, default_value_t = 128)]
        groups: u32,
        /// Passes.
        #[arg(long, default_value_t = 10)]
        repeats: u32,
    },
}

/// Type of the stored keys and values.
#[derive(Clone, Copy, ValueEnum)]
pub enum Kv {
    /// binary16
    F16,
    /// binary32
    F32,
    /// 8-bit integers, a binary16 scale for each 32
    #[value(name = "q8_0")]
    Q8_0,
}

impl Kv {
    /// `SISLM_KV_*`.
    pub fn number(self) -> u32 {
        match self {
            Kv::F16 => 0,
            Kv::F32 => 1,
            Kv::Q8_0 => 2,
        }
    }
}

/// Options of `infer`.
#[derive(Args)]
pub struct Infer {
    /// Most tokens; 0 for no limit but the context.
    #[arg(short = 'n', long, default_value_t = 0)]
    pub max_tokens: u32,
    /// How tokens are drawn.
    #[command(flatten)]
    pub drawing: Options,
    /// Drawn when not given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Positions of the context; 0 for 4096, or the model's own when smaller.
    #[arg(long, default_value_t = 0)]
    pub ctx: u32,
    /// Type of keys and values.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv: Kv,
    /// Rows of a pass over the prompt.
    #[arg(long, default_value_t = 64)]
    pub batch: u32,
    /// Generate past the tokens that end a turn.
    #[arg(long)]
    pub ignore_eos: bool,
    /// Control tokens in the prompt are parsed.
    #[arg(long)]
    pub control: bool,
    /// End at this text, which is not part of the answer; may be given again. The name of a control token
    /// stands for that.
    #[arg(long, value_name = "TEXT")]
    pub stop: Vec<String>,
    /// End at this token; may be given again.
    #[arg(long, value_name = "ID")]
    pub stop_id: Vec<u32>,
    /// Ids instead of a prompt, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "prompt")]
    pub ids: Vec<u32>,
    /// The prompt.
    #[arg(default_value = "")]
    pub prompt: String,
}

/// Options of `replay`: those that the answer was asked for with.
#[derive(Args)]
pub struct Replay {
    /// How tokens are drawn.
    #[command(flatten)]
    pub drawing: Options,
    /// Type of keys and values.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv: Kv,
    /// Rows of a pass over the prompt.
    #[arg(long, default_value_t = 64)]
    pub batch: u32,
    /// What `sislm-client infer --json` printed; - for standard input.
    pub file: PathBuf,
}

/// Options of `eval`.
#[derive(Args)]
pub struct Eval {
    /// Most likely tokens listed at each position.
    #[arg(long, default_value_t = 0)]
    pub top: u32,
    /// Type of keys and values.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv: Kv,
    /// Rows of a pass.
    #[arg(long, default_value_t = 8)]
    pub batch: u32,
    /// Sequences in each pass; the others hold the same ids one place further, without adapters.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub sequences: u32,
    /// Ids instead of a text, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "text")]
    pub ids: Vec<u32>,
    /// The text.
    #[arg(required_unless_present = "ids", default_value = "")]
    pub text: String,
}

/// Options of `logits`.
#[derive(Args)]
pub struct Logits {
    /// Type of keys and values.
    #[arg(long, value_enum, default_value_t = Kv::F16)]
    pub kv: Kv,
    /// File with the ids of a sequence on each line.
    pub sequences: PathBuf,
    /// File that gets a row of f32, little-endian, for each id.
    pub output: PathBuf,
}

/// How the hidden states of a text become one embedding.
#[derive(Clone, Copy, ValueEnum)]
pub enum Pooling {
    /// They do not: each token has its own.
    None,
    /// Their mean.
    Mean,
    /// That of the first token.
    First,
    /// That of the last token.
    Last,
}

impl Pooling {
    /// That of `SISLM_POOLING_*`.
    pub fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::None),
            2 => Some(Self::Mean),
            3 => Some(Self::First),
            4 => Some(Self::Last),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Mean => "mean",
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

/// Options of `embed`.
#[derive(Args)]
pub struct Embed {
    /// How one embedding is made; as the file says when not given.
    #[arg(long, value_enum)]
    pub pooling: Option<Pooling>,
    /// Not divided by its 2-norm.
    #[arg(long)]
    pub raw: bool,
    /// Type of keys and values.
    #[arg(long, value_enum, default_value_t = Kv::F32)]
    pub kv: Kv,
    /// Rows of a pass.
    #[arg(long, default_value_t = 64)]
    pub batch: u32,
    /// Ids instead of a text, separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "text")]
    pub ids: Vec<u32>,
    /// The text.
    #[arg(required_unless_present = "ids", default_value = "")]
    pub text: String,
}
