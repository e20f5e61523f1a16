// SPDX-License-Identifier: MIT OR Apache-2.0
//! `selftest`: the engine's loops against their scalar twins.

use std::io::Write;

use serde_json::json;
use sislm::{Device, Simd};

use crate::cli::{Cli, Selftest};
use crate::exit_codes::ExitCode;

/// Runs `selftest`.
pub(crate) fn run(
    cli: &Cli,
    arguments: &Selftest,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let level = match arguments.simd {
        Some(level) if level != Simd::default() => level,
        _ => Simd(device.query()?.simd),
    };
    let result = device.selftest(level)?;
    if cli.json {
        let object = json!({ "simd": level.to_string(), "cases": result.cases, "failures": result.failures });
        writeln!(out, "{object}")?;
    } else {
        writeln!(
            out,
            "{level}: {} comparisons, {} differ",
            result.cases, result.failures
        )?;
    }
    Ok(if result.failures == 0 {
        ExitCode::Success
    } else {
        ExitCode::SelftestFailed
    })
}
