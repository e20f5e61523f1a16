// SPDX-License-Identifier: MIT OR Apache-2.0
//! Command lines of what shells and readers of manuals need.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Options of `completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    pub shell: Shell,
}

/// Options of `man`.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to write them
    pub directory: PathBuf,
}
