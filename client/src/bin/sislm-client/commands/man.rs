// SPDX-License-Identifier: MIT OR Apache-2.0
//! `man`: a manual page for the program, and one for each command.

use anyhow::Context;
use clap::CommandFactory;

use crate::cli::{Cli, Man};
use crate::exit_codes::ExitCode;

/// Runs `man`.
pub(crate) fn run(arguments: &Man) -> anyhow::Result<ExitCode> {
    let directory = &arguments.directory;
    clap_mangen::generate_to(Cli::command(), directory)
        .with_context(|| format!("cannot write to {}: give a directory", directory.display()))?;
    Ok(ExitCode::Success)
}
