// SPDX-License-Identifier: MIT OR Apache-2.0
//! `metrics`: what the module counts, as Prometheus reads it.

use std::io::Write;

use anyhow::Context;
use sislm::Device;

use crate::choice;
use crate::cli::Cli;
use crate::exit_codes::ExitCode;
use crate::exposition::Counts;

/// Runs `metrics`.
pub(crate) fn run(cli: &Cli, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let all = device.metrics(None)?.context("no metrics")?;
    let mut models = Vec::new();
    for model in device.models()? {
        // None: it was unloaded meanwhile.
        if let Some(metrics) = device.metrics(Some(&choice::name_of(&model)?))? {
            models.push((model.name(), metrics));
        }
    }
    write!(out, "{}", Counts { all, models }.text())?;
    Ok(ExitCode::Success)
}
