// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of what takes a text or ids, and answers nothing.

use std::ffi::OsString;

use clap::Args;
use sislm::{KvType, Pooling};

use super::common::{Context, Lora, Model};

/// Options of `tokenize`.
#[derive(Debug, Args)]
pub(crate) struct Tokenize {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// As in the middle of a context: no BOS, no space prefix
    #[arg(long)]
    pub continued: bool,
    /// Let names of control tokens stand for these tokens
    #[arg(long)]
    pub control: bool,
    /// The text; - or nothing reads it from stdin
    pub text: Option<OsString>,
}

/// Options of `detokenize`.
#[derive(Debug, Args)]
pub(crate) struct Detokenize {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// As in the middle of a context: the leading space is kept
    #[arg(long)]
    pub continued: bool,
    /// The ids
    #[arg(value_delimiter = ',', value_name = "ID")]
    pub ids: Vec<u32>,
}

/// Options of `eval`.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// Most likely tokens to give after each position, 0 to 64
    #[arg(long, value_name = "K", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(sislm::TOP_MAX)))]
    pub top: u32,
    /// The context.
    #[command(flatten)]
    pub context: Context,
    /// The ids, instead of a text
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID,ID...",
        conflicts_with = "text"
    )]
    pub ids: Option<Vec<u32>>,
    /// Let names of control tokens stand for these tokens
    #[arg(long)]
    pub control: bool,
    /// The text; - or nothing reads it from stdin
    pub text: Option<OsString>,
}

/// Options of `embed`.
#[derive(Debug, Args)]
pub(crate) struct Embed {
    /// The model.
    #[command(flatten)]
    pub model: Model,
    /// Its adapters.
    #[command(flatten)]
    pub lora: Lora,
    /// Make one embedding of the hidden states of all tokens: none, mean, first or last [default: as the
    /// model's file says]
    #[arg(long)]
    pub pooling: Option<Pooling>,
    /// Do not divide by the 2-norm
    #[arg(long)]
    pub raw: bool,
    /// Type of the stored keys and values: f16, f32 or q8_0
    #[arg(long, value_name = "TYPE", default_value = "f32")]
    pub kv: KvType,
    /// The ids, instead of a text
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "ID,ID...",
        conflicts_with = "text"
    )]
    pub ids: Option<Vec<u32>>,
    /// Let names of control tokens stand for these tokens
    #[arg(long)]
    pub control: bool,
    /// The text; - or nothing reads it from stdin
    pub text: Option<OsString>,
}
