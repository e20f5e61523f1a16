// SPDX-License-Identifier: MIT OR Apache-2.0
//! `load`: loads a GGUF file.

use std::io::Write;

use anyhow::Context;
use indicatif::DecimalBytes;
use serde_json::json;
use sislm::{Device, ModelName, Source};

use crate::cli::{Cli, Load};
use crate::commands::models::{adapter_lines, adapters, notes};
use crate::exit_codes::{ExitCode, Failure};
use crate::{loading, lora};

/// Runs `load`.
pub(crate) fn run(cli: &Cli, arguments: &Load, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => ModelName::of_file(&arguments.file)
            .with_context(|| format!("{} has no file name", arguments.file.display()))?,
    };
    let source = Source::open(&arguments.file)?;
    let device = Device::open(&cli.device)?;
    let files = lora::open(&arguments.lora)?;
    let load = loading::load(&device, &cli.device, &source, &files, &name)?;
    let model = device.model(&name)?.ok_or_else(|| {
        Failure::error(
            ExitCode::NoModel,
            format!("\"{name}\" was unloaded meanwhile"),
        )
    })?;
    if cli.json {
        let object = json!({
            "model": name.as_str(),
            "model_sha256": model.digest().to_string(),
            "file_bytes": load.bytes,
            "arena_bytes": model.arena_bytes,
            "peak_bytes": model.peak_bytes,
            "adapters": adapters(&model),
            "notes": notes(&model),
            "timings": {
                "read_ns": load.read_ns,
                "pack_ns": load.pack_ns,
                "digest_ns": load.digest_ns,
                "load_ns": load.load_ns,
            },
        });
        writeln!(out, "{object}")?;
    } else {
        writeln!(
            out,
            "{name}: {} loaded in {} (reading {}, packing {}, digest {}), sha256 {}",
            DecimalBytes(load.bytes),
            milliseconds(load.load_ns),
            milliseconds(load.read_ns),
            milliseconds(load.pack_ns),
            milliseconds(load.digest_ns),
            model.digest(),
        )?;
        for line in adapter_lines(&model) {
            writeln!(out, "{name}: {line}")?;
        }
        for note in notes(&model) {
            writeln!(out, "{name}: {note}")?;
        }
    }
    Ok(ExitCode::Success)
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{} ms", nanoseconds / 1_000_000)
}
