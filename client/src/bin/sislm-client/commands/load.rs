// SPDX-License-Identifier: MIT OR Apache-2.0
//! `load`: loads a GGUF file, or all of a directory.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::DecimalBytes;
use serde_json::{json, Value};
use sislm::{split_name, AdapterFile, Device, LoadOptions, Model, ModelName, Source};

use crate::cli::{Cli, Load};
use crate::commands::models::{adapter_lines, adapters, notes};
use crate::exit_codes::{ExitCode, Failure};
use crate::target::base_name;
use crate::{loading, lora};

/// Runs `load`.
pub(crate) fn run(cli: &Cli, arguments: &Load, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let options = LoadOptions {
        replaces: arguments.replace,
        rank: arguments.rank,
    };
    if let Some(directory) = &arguments.all {
        let device = Device::open(&cli.device)?;
        return all(cli, &device, directory, options, out);
    }
    let file = arguments.file.as_deref().context("no file is given")?;
    let name = match &arguments.name {
        Some(name) => name.clone(),
        None => name_of(file)?,
    };
    let source = Source::open(file)?;
    let files = lora::open(&arguments.lora)?;
    let device = Device::open(&cli.device)?;
    let name = &name;
    one(cli, &device, (&source, &files, name), options, out)?;
    Ok(ExitCode::Success)
}

fn name_of(file: &Path) -> anyhow::Result<ModelName> {
    let name = ModelName::of_file(file);
    let name = name.with_context(|| format!("{} has no file name", file.display()))?;
    base_name(name.as_str()).map_err(anyhow::Error::msg)
}

/// Loads one model, and says so.
fn one(
    cli: &Cli,
    device: &Device,
    (source, files, name): (&Source, &[AdapterFile], &ModelName),
    options: LoadOptions,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let load = loading::load(device, &cli.device, source, files, name, options)?;
    // A module without versions gives none.
    let version = match load.version {
        0 => name.clone(),
        version => name.with_version(version),
    };
    let model = device.model(&version)?.ok_or_else(|| {
        Failure::error(
            ExitCode::NoModel,
            format!("\"{version}\" was unloaded meanwhile"),
        )
    })?;
    if cli.json {
        writeln!(out, "{}", object(name, &load, &model))?;
        return Ok(());
    }
    let shared = if load.shared {
        ", in the memory of another of the same bytes"
    } else {
        ""
    };
    writeln!(
        out,
        "{version}: {} loaded in {} (reading {}, packing {}, digest {}){shared}, sha256 {}",
        DecimalBytes(load.bytes),
        milliseconds(load.load_ns),
        milliseconds(load.read_ns),
        milliseconds(load.pack_ns),
        milliseconds(load.digest_ns),
        model.digest(),
    )?;
    for line in adapter_lines(&model) {
        writeln!(out, "{version}: {line}")?;
    }
    for note in notes(&model) {
        writeln!(out, "{version}: {note}")?;
    }
    Ok(())
}

fn object(name: &ModelName, load: &sislm::Load, model: &Model) -> Value {
    json!({
        "model": name.as_str(),
        "version": load.version,
        "shared": load.shared,
        "rank": model.rank,
        "model_sha256": model.digest().to_string(),
        "file_bytes": load.bytes,
        "arena_bytes": model.arena_bytes,
        "peak_bytes": model.peak_bytes,
        "adapters": adapters(model),
        "notes": notes(model),
        "timings": {
            "read_ns": load.read_ns,
            "pack_ns": load.pack_ns,
            "digest_ns": load.digest_ns,
            "load_ns": load.load_ns,
        },
    })
}

/// Loads all models of `directory` that are not loaded. What fails does not keep the others from being loaded.
fn all(
    cli: &Cli,
    device: &Device,
    directory: &Path,
    options: LoadOptions,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::Success;
    for (name, file) in models_in(directory)? {
        let loaded = name.and_then(|name| {
            let source = Source::open(&file)?;
            if is_loaded(device, &name, &source)? {
                return Ok(());
            }
            one(cli, device, (&source, &[], &name), options, out)
        });
        if let Err(error) = loaded {
            let path = file.display();
            // With stderr closed as well, the exit code has to do.
            let _ = writeln!(io::stderr(), "sislm-client: {path}: {error:#}");
            // The first one that failed says why.
            if code == ExitCode::Success {
                code = ExitCode::of(&error);
            }
        }
    }
    Ok(code)
}

/// The models of a directory by file name, each by its first file: an error where two would have one name.
fn models_in(directory: &Path) -> anyhow::Result<Vec<(anyhow::Result<ModelName>, PathBuf)>> {
    let context = || format!("cannot read {}", directory.display());
    let entries = fs::read_dir(directory).with_context(context)?;
    let entries = entries.map(|entry| Ok(entry?.path()));
    let mut files: Vec<PathBuf> = entries.collect::<io::Result<_>>().with_context(context)?;
    files.retain(|file| file.extension().is_some_and(|it| it == "gguf"));
    files.sort();
    let mut parts_of = Vec::new();
    let mut found: Vec<(anyhow::Result<ModelName>, PathBuf)> = Vec::new();
    for file in files {
        if let Some(whole) = split_name(&file) {
            if parts_of.contains(&whole.to_owned()) {
                continue;
            }
            parts_of.push(whole.to_owned());
        }
        let mut name = name_of(&file);
        let same = |other: &&(anyhow::Result<ModelName>, PathBuf)| matches!((&other.0, &name), (Ok(other), Ok(name)) if other == name);
        if let Some((_, other)) = found.iter().find(same) {
            let other = other.display();
            name = Err(anyhow::anyhow!("it would have the name of {other}"));
        }
        found.push((name, file));
    }
    Ok(found)
}

/// Whether what `name` means is of these bytes, without adapters.
fn is_loaded(device: &Device, name: &ModelName, source: &Source) -> anyhow::Result<bool> {
    let Some(model) = device.model(name)? else {
        return Ok(false);
    };
    if model.file_bytes != source.bytes() || !model.adapters().is_empty() {
        return Ok(false);
    }
    Ok(model.digest() == source.digest()?)
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{} ms", nanoseconds / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_models_and_other_files() {
        let directory = tempfile::tempdir().unwrap();
        let names = [
            "b.gguf",
            "a.gguf",
            "a b.gguf",
            "a-b.gguf",
            "big-00001-of-00002.gguf",
            "big-00002-of-00002.gguf",
            "README",
        ];
        for name in names {
            fs::write(directory.path().join(name), "").unwrap();
        }
        let found = models_in(directory.path()).unwrap();
        let found: Vec<String> = found
            .iter()
            .map(|(name, _)| name.as_ref().map_or("twice".into(), ToString::to_string))
            .collect();
        assert_eq!(found, ["a-b", "twice", "a", "b", "big"]);
        assert!(models_in(Path::new("/nonexistent")).is_err());
    }
}
