// SPDX-License-Identifier: MIT OR Apache-2.0
//! `metrics`: what the module counts, as Prometheus reads it.

use std::io::Write;

use sislm::Device;

use crate::cli::Cli;
use crate::counts::Counts;
use crate::exit_codes::ExitCode;

/// Runs `metrics`.
pub(crate) fn run(cli: &Cli, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    write!(out, "{}", Counts::take(&device)?.text())?;
    Ok(ExitCode::Success)
}
