// SPDX-License-Identifier: MIT OR Apache-2.0
//! `serve`: the OpenAI API over HTTP.

use crate::cli::{Cli, Serve};
use crate::exit_codes::ExitCode;
use crate::serve;

/// Runs `serve`: until SIGTERM or SIGINT.
pub(crate) fn run(cli: &Cli, arguments: &Serve) -> anyhow::Result<ExitCode> {
    serve::run(cli, arguments)?;
    Ok(ExitCode::Success)
}
