// SPDX-License-Identifier: MIT OR Apache-2.0
//! `unload`: unloads a model.

use std::io::Write;

use serde_json::json;
use sislm::Device;

use crate::cli::{Cli, Unload};
use crate::exit_codes::ExitCode;

/// Runs `unload`.
pub(crate) fn run(cli: &Cli, arguments: &Unload, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    if arguments.force {
        device.unload_by_force(&arguments.name)?;
    } else if arguments.drain {
        device.unload_when_unused(&arguments.name)?;
    } else {
        device.unload(&arguments.name)?;
    }
    if cli.json {
        writeln!(out, "{}", json!({ "unloaded": arguments.name.as_str() }))?;
    }
    Ok(ExitCode::Success)
}
