// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of several command lines.

use std::ffi::OsString;

use clap::Args;
use sislm::KvType;

use crate::lora::LoraScale;

/// The model of a command.
#[derive(Debug, Args)]
pub(crate) struct Model {
    /// A loaded model, or a GGUF file, which is loaded when it is not [default: the model named
    /// default, else the only one loaded, else the one embedded in this program]
    #[arg(short, long, value_name = "NAME|FILE")]
    pub model: Option<OsString>,
}

/// The adapters of a command.
#[derive(Debug, Args)]
pub(crate) struct Lora {
    /// What an adapter of the model is multiplied by, by its name or its number from 0 (models lists them); 0 is
    /// off
    #[arg(long, value_name = "NAME|N=SCALE")]
    pub lora: Vec<LoraScale>,
}

/// Context of a session.
#[derive(Debug, Args)]
pub(crate) struct Context {
    /// Positions of the context [default: the device's, or the model's own when smaller]
    #[arg(long = "ctx", value_name = "POSITIONS", value_parser = clap::value_parser!(u32).range(1..))]
    pub positions: Option<u32>,
    /// Type of the stored keys and values: f16, f32 or q8_0
    #[arg(long, value_name = "TYPE", default_value_t)]
    pub kv: KvType,
}
