// SPDX-License-Identifier: MIT OR Apache-2.0
//! `completions`: what a shell needs to complete the command line.

use std::io::Write;

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::exit_codes::ExitCode;

/// Runs `completions`: a script for the shell.
pub(crate) fn run(arguments: &Completions, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    clap_complete::generate(arguments.shell, &mut command, "sislm-client", &mut script);
    out.write_all(&script)?;
    Ok(ExitCode::Success)
}
