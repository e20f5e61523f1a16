// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of what changes models and names.

use std::path::PathBuf;

use clap::Args;
use sislm::ModelName;

use crate::lora::LoraFile;
use crate::target::{base_name, version_name, Target};

/// Options of `load`.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The GGUF file, or any part of a split model (NAME-00001-of-0000N.gguf)
    #[arg(required_unless_present = "all")]
    pub file: Option<PathBuf>,
    /// Name of the model [default: the file's, without .gguf]
    #[arg(long, value_parser = base_name)]
    pub name: Option<ModelName>,
    /// In place of the versions that are loaded: each is unloaded when no session uses it any more
    #[arg(long)]
    pub replace: bool,
    /// What you think of the model, 1 to 1000, the more the better: -m auto chooses among models with a rank, the best that
    /// is in time and has memory; 0 for never
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=i64::from(sislm::RANK_MAX)))]
    pub rank: u32,
    /// All files NAME.gguf of a directory, split models as one, each under its own name
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "name", "lora"])]
    pub all: Option<PathBuf>,
    /// An adapter (LoRA) of the model, and what it is multiplied by where a session does not say, 1 when not
    /// given; up to 4
    #[arg(long, value_name = "FILE[=SCALE]")]
    pub lora: Vec<LoraFile>,
}

/// Options of `unload`.
#[derive(Debug, Args)]
pub(crate) struct Unload {
    /// Name of the model; of one of several versions NAME@VERSION
    pub name: ModelName,
    /// Although sessions use it: their turns end with an error; or an alias gives it, which does no more
    #[arg(long)]
    pub force: bool,
    /// When no session uses it any more; none begins to
    #[arg(long, conflicts_with = "force")]
    pub drain: bool,
}

/// Options of `alias`.
#[derive(Debug, Args)]
pub(crate) struct Alias {
    /// The alias [default: show all]
    #[arg(value_parser = base_name)]
    pub name: Option<ModelName>,
    /// Versions that it is to give, each as often as its weight (1 when not given) says, as compared with the others; up to 4
    #[arg(value_name = "NAME@N[=WEIGHT]", num_args = ..=sislm::TARGETS_MAX as usize)]
    pub targets: Vec<Target>,
    /// Let it follow the newest version of its name again
    #[arg(long, requires = "name", conflicts_with = "targets")]
    pub unpin: bool,
}

/// Options of `shadow`.
#[derive(Debug, Args)]
pub(crate) struct Shadow {
    /// Whose answers [default: show all that are compared]
    #[arg(value_parser = base_name)]
    pub name: Option<ModelName>,
    /// The version that they are compared with from now on
    #[arg(long, value_name = "NAME@N", requires = "name", value_parser = version_name)]
    pub on: Option<ModelName>,
    /// How many of 1,000 turns are compared; 0 for none, and what was counted stays
    #[arg(long, requires = "on", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=1000))]
    pub permille: u32,
    /// Compare them no more, and forget what was counted
    #[arg(long, requires = "name", conflicts_with = "on")]
    pub off: bool,
}
