// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of what answers.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use sislm::KvType;

use super::common::{Context, Lora, Model};
use super::values::{most_tokens, seed, stop, Seed};
use crate::sampling::Sampling;

/// Options of `infer`.
#[derive(Debug, Args)]
pub(crate) struct Infer {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// Most tokens to generate, -1 for no limit but the context
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true, default_value = "-1",
          value_parser = most_tokens)]
    pub max_tokens: u32,
    /// How the next token is drawn.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Seed of the draws, -1 for one drawn by the kernel, and reported
    #[arg(long, allow_negative_numbers = true, default_value = "-1", value_parser = seed)]
    pub seed: Seed,
    /// The context.
    #[command(flatten)]
    pub context: Context,
    /// Go on when the context is full: with the first KEEP ids [default: the prompt's], at most half, and the later
    /// half of the others
    #[arg(long, value_name = "KEEP", num_args = 0..=1, require_equals = true,
          conflicts_with_all = ["json_schema", "regex", "grammar"])]
    #[expect(
        clippy::option_option,
        reason = "clap's for an option whose value may lack"
    )]
    pub context_shift: Option<Option<u32>>,
    /// End at this text, up to 4 of at most 32 bytes, or at the control token of this name
    #[arg(long, value_name = "S", value_parser = stop)]
    pub stop: Vec<String>,
    /// End at the token of this id; up to 4
    #[arg(long, value_name = "ID")]
    pub stop_id: Vec<u32>,
    /// Go on past the model's own tokens that end a turn
    #[arg(long)]
    pub ignore_eos: bool,
    /// Compute alone, without the module's workers: all of it is charged to this process
    #[arg(long)]
    pub unhelped: bool,
    /// For whom the turn is, any number: this user's time is divided equally between them
    #[arg(long, value_name = "N", default_value_t)]
    pub tenant: u64,
    /// End the answer after so many milliseconds, 0 for no limit
    #[arg(long, value_name = "MS", default_value_t)]
    pub deadline: u32,
    /// Most tokens in a second, 0 for no limit
    #[arg(long, value_name = "N", default_value_t)]
    pub tokens_per_second: u32,
    /// Let names of control tokens in the prompt stand for these tokens
    #[arg(long, conflicts_with = "chat")]
    pub control: bool,
    /// Take the prompt as a message, and put it into the model's own chat template
    #[arg(long)]
    pub chat: bool,
    /// What the system says before the message
    #[arg(long, value_name = "TEXT", requires = "chat")]
    pub system: Option<String>,
    /// What the answer is to be.
    #[command(flatten)]
    pub grammar: Grammar,
    /// Print the closing line even when stderr is no terminal
    #[arg(long)]
    pub stats: bool,
    /// Words to add to the closing line, such as "emulated"
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// The prompt; - or nothing reads it from stdin
    pub prompt: Option<OsString>,
}

/// What an answer is to be: at most one.
#[derive(Debug, Args)]
#[group(multiple = false, conflicts_with_all = ["ignore_eos", "stop"])]
pub(crate) struct Grammar {
    /// Answer with JSON of the schema in this file
    #[arg(long, value_name = "FILE")]
    pub json_schema: Option<PathBuf>,
    /// Answer with text that this regular expression matches as a whole
    #[arg(long, value_name = "R")]
    pub regex: Option<String>,
    /// Answer by the grammar in this file, in Lark's syntax, from its rule start
    #[arg(long, value_name = "FILE")]
    pub grammar: Option<PathBuf>,
}

/// Options of `chat`.
#[derive(Debug, Args)]
pub(crate) struct Chat {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// What the system says before the conversation
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Most tokens of an answer, -1 for no limit but the context
    #[arg(short = 'n', long, value_name = "N", allow_negative_numbers = true, default_value = "-1",
          value_parser = most_tokens)]
    pub max_tokens: u32,
    /// How the next token is drawn.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Seed of the draws of each answer, -1 for one drawn by the kernel
    #[arg(long, allow_negative_numbers = true, default_value = "-1", value_parser = seed)]
    pub seed: Seed,
    /// The context.
    #[command(flatten)]
    pub context: Context,
    /// Tell tokens and tokens per second after each answer
    #[arg(long)]
    pub stats: bool,
    /// Neither read nor write the history of lines ($XDG_STATE_HOME/sislm/history)
    #[arg(long)]
    pub no_history: bool,
}

/// Options of `replay`: those that `infer` was given.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// How the next token is drawn.
    #[command(flatten)]
    pub sampling: Sampling,
    /// Type of the stored keys and values: f16, f32 or q8_0
    #[arg(long, default_value_t)]
    pub kv: KvType,
    /// What `infer --json` printed; - for standard input
    pub file: PathBuf,
}
