// SPDX-License-Identifier: MIT OR Apache-2.0
//! `info`: the device, its limits, and each model's memory by part.

use std::io::Write;

use indicatif::DecimalBytes;
use nix::errno::Errno;
use serde_json::{json, Value};
use sislm::{Device, Model, Pooling, Query, Simd, Statistics, METADATA_KEYS};

use super::models;
use crate::choice::name_of;
use crate::cli::Cli;
use crate::exit_codes::ExitCode;

/// Bytes of a string that is shown on one line.
const LINE_BYTES: usize = 120;

/// Runs `info`.
pub(crate) fn run(cli: &Cli, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let (query, statistics, models) = (device.query()?, device.statistics()?, device.models()?);
    if cli.json {
        let models = models.iter().map(|model| {
            let mut object = models::object(model, &query);
            object["metadata"] = metadata(&device, model)?.into_iter().collect();
            Ok(object)
        });
        let models: Vec<Value> = models.collect::<anyhow::Result<_>>()?;
        let object =
            json!({ "device": object(&query), "memory": memory(&statistics), "loaded": models });
        writeln!(out, "{object}")?;
        return Ok(ExitCode::Success);
    }
    writeln!(
        out,
        "interface     {}, numerics {}",
        query.abi, query.numerics
    )?;
    writeln!(
        out,
        "engine        {}, {} threads, at most {} of weights in one section",
        Simd(query.simd),
        query.threads,
        DecimalBytes(query.longest_section)
    )?;
    writeln!(
        out,
        "sessions      {} of at most {}",
        query.sessions, query.sessions_max
    )?;
    writeln!(
        out,
        "limits        prompt {}, context {} positions ({} by default), model {}, keys and values {}",
        DecimalBytes(u64::from(query.prompt_max)),
        query.context_max,
        query.context_default,
        DecimalBytes(query.model_max),
        DecimalBytes(query.kv_max)
    )?;
    writeln!(
        out,
        "memory        models {}, steps {}, sessions {}, keys and values {}",
        DecimalBytes(statistics.memory_models),
        DecimalBytes(statistics.memory_steps),
        DecimalBytes(statistics.memory_sessions),
        DecimalBytes(statistics.kv_bytes)
    )?;
    for model in &models {
        writeln!(out)?;
        print(model, &query, out)?;
        for (key, text) in metadata(&device, model)? {
            writeln!(out, "  {}", line_of(key, &text))?;
        }
    }
    Ok(ExitCode::Success)
}

/// The strings of the model's metadata, by key.
fn metadata(device: &Device, model: &Model) -> anyhow::Result<Vec<(&'static str, String)>> {
    let name = name_of(model)?;
    let mut found = Vec::new();
    for key in METADATA_KEYS {
        match device.metadata(&name, key) {
            Ok(Some(text)) => found.push((key, String::from_utf8_lossy(&text).into_owned())),
            // Too long: a note of the model says so.
            Ok(None) => {}
            Err(error) if error.errno() == Errno::EFBIG => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// A line for a string of the metadata: its length when it does not fit one.
fn line_of(key: &str, text: &str) -> String {
    if text.len() > LINE_BYTES || text.chars().any(char::is_control) {
        format!("{key}: {} bytes", text.len())
    } else {
        format!("{key}: {text}")
    }
}

fn print(model: &Model, query: &Query, out: &mut impl Write) -> anyhow::Result<()> {
    let bytes =
        |label: &str, bytes: u64| format!("  {label:<36}{:>12}", DecimalBytes(bytes).to_string());
    writeln!(
        out,
        "model {}: {:?}, {} parameters",
        model.name(),
        model.title(),
        model.parameters
    )?;
    writeln!(
        out,
        "  {}: {} layers, {} wide, {} heads ({} for keys and values) of {}, feed-forward {}",
        model.architecture_name(),
        model.layers,
        model.embedding,
        model.heads,
        model.kv_heads,
        model.head_size,
        model.feed_forward
    )?;
    writeln!(
        out,
        "  vocabulary of {} ({}), context of at most {} positions",
        model.vocabulary,
        model.tokenizer_name(),
        model.context
    )?;
    if model.is_encoder() {
        let pooling = model.pooling().unwrap_or(Pooling::None);
        writeln!(
            out,
            "  an encoder: it makes embeddings (pooling {pooling}), and no text"
        )?;
    }
    writeln!(out, "  sha256 {}", model.digest())?;
    let context = model.default_context(query);
    for line in [
        bytes("file", model.file_bytes),
        bytes("weights in memory", model.weight_bytes),
        bytes("vocabulary in memory", model.vocabulary_bytes),
        bytes("descriptors in memory", model.model_bytes),
        bytes("model in memory, all parts", model.arena_bytes),
        bytes("most while it was loaded", model.peak_bytes),
        bytes("activations of a step", model.step_bytes),
        bytes(
            &format!("keys and values, {context} positions, f16"),
            model.kv_bytes_of(context),
        ),
        bytes(
            "run-time memory (these two)",
            models::runtime_bytes(model, query),
        ),
        bytes("keys and values in use now", model.kv_bytes),
    ] {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "  used by {} sessions", model.users)?;
    Ok(())
}

fn object(query: &Query) -> Value {
    json!({
        "abi": query.abi,
        "numerics": query.numerics,
        "simd": Simd(query.simd).to_string(),
        "threads": query.threads,
        "models": query.models,
        "sessions": query.sessions,
        "sessions_max": query.sessions_max,
        "prompt_max": query.prompt_max,
        "context_max": query.context_max,
        "context_default": query.context_default,
        "model_max": query.model_max,
        "kv_max": query.kv_max,
        "longest_section": query.longest_section,
    })
}

fn memory(statistics: &Statistics) -> Value {
    json!({
        "memory_models": statistics.memory_models,
        "memory_steps": statistics.memory_steps,
        "memory_sessions": statistics.memory_sessions,
        "memory_kv": statistics.kv_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_that_is_no_line_is_counted() {
        assert_eq!(line_of("general.name", "Tiny"), "general.name: Tiny");
        assert_eq!(line_of("k", "a\nb"), "k: 3 bytes");
        assert_eq!(line_of("k", "\u{1b}[2J"), "k: 4 bytes");
        assert_eq!(line_of("k", &"x".repeat(121)), "k: 121 bytes");
    }

    #[test]
    fn a_model_is_printed_by_part() {
        let model = Model {
            step_bytes: 1_000_000,
            kv_block_bytes: 250_000,
            context: 256,
            ..Default::default()
        };
        let query = Query {
            context_default: 4096,
            ..Default::default()
        };
        let mut text = Vec::new();
        print(&model, &query, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("keys and values, 256 positions, f16") && text.contains("2.00 MB"),
            "{text}"
        );
        assert!(
            text.lines()
                .any(|line| line.contains("run-time memory") && line.ends_with("3.00 MB")),
            "{text}"
        );
    }
}
