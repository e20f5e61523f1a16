// SPDX-License-Identifier: MIT OR Apache-2.0
//! `models`: lists the loaded models.

use std::io::Write;

use indicatif::DecimalBytes;
use serde_json::{json, Value};
use sislm::{Adapter, Device, Model, Note, Query};

use crate::cli::Cli;
use crate::commands::alias;
use crate::exit_codes::ExitCode;

/// Runs `models`.
pub(crate) fn run(cli: &Cli, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let (query, models, aliases) = (device.query()?, device.models()?, device.aliases()?);
    if cli.json {
        let objects: Vec<Value> = models.iter().map(|model| object(model, &query)).collect();
        let aliases: Vec<Value> = aliases.iter().map(alias::object).collect();
        let object = json!({ "models": objects, "aliases": aliases });
        writeln!(out, "{object}")?;
        return Ok(ExitCode::Success);
    }
    if models.is_empty() {
        writeln!(
            out,
            "no model is loaded; sudo sislm-client load FILE loads one"
        )?;
        return Ok(ExitCode::Success);
    }
    writeln!(
        out,
        "{:<24} {:<6} {:>12} {:>10} {:>8} {:>5} {:<12}",
        "NAME", "KIND", "PARAMETERS", "MEMORY", "CONTEXT", "USERS", "SHA256"
    )?;
    for model in &models {
        writeln!(
            out,
            "{:<24} {:<6} {:>12} {:>10} {:>8} {:>5} {:.12}{}",
            model.full_name(),
            model.architecture_name(),
            model.parameters,
            DecimalBytes(model.arena_bytes).to_string(),
            model.context,
            model.users,
            model.digest().to_string(),
            remark(model),
        )?;
        for line in adapter_lines(model) {
            writeln!(out, "  {line}")?;
        }
    }
    for alias in &aliases {
        writeln!(out, "{}", alias::line(alias))?;
    }
    Ok(ExitCode::Success)
}

/// What is said of a version beside its numbers.
fn remark(model: &Model) -> &'static str {
    match (model.is_leaving(), model.is_shared()) {
        (true, true) => " leaving, shared",
        (true, false) => " leaving",
        (false, true) => " shared",
        (false, false) => "",
    }
}

/// A model as JSON, shared with `info`.
pub(crate) fn object(model: &Model, query: &Query) -> Value {
    json!({
        "name": model.name(),
        "version": model.version,
        "leaving": model.is_leaving(),
        "shared": model.is_shared(),
        "rank": model.rank,
        "instance": model.instance,
        "title": model.title(),
        "sha256": model.digest().to_string(),
        "architecture": model.architecture_name(),
        "tokenizer": model.tokenizer_name(),
        "pooling": model.pooling().map(|pooling| pooling.to_string()),
        "encoder": model.is_encoder(),
        "parameters": model.parameters,
        "layers": model.layers,
        "embedding": model.embedding,
        "heads": model.heads,
        "kv_heads": model.kv_heads,
        "head_size": model.head_size,
        "feed_forward": model.feed_forward,
        "vocabulary": model.vocabulary,
        "context": model.context,
        "bos": model.bos_id(),
        "eos": model.eos_id(),
        "ends": model.end_ids(),
        "adapters": adapters(model),
        "notes": notes(model),
        "file_bytes": model.file_bytes,
        "weight_bytes": model.weight_bytes,
        "vocabulary_bytes": model.vocabulary_bytes,
        "model_bytes": model.model_bytes,
        "arena_bytes": model.arena_bytes,
        "step_bytes": model.step_bytes,
        "kv_block_bytes": model.kv_block_bytes,
        "kv_bytes": model.kv_bytes,
        "peak_bytes": model.peak_bytes,
        "runtime_bytes": runtime_bytes(model, query),
        "users": model.users,
    })
}

/// The adapters of a model as JSON.
pub(crate) fn adapters(model: &Model) -> Vec<Value> {
    let object = |adapter: &Adapter| {
        json!({
            "name": adapter.title(),
            "sha256": adapter.digest().to_string(),
            "file_bytes": adapter.file_bytes,
            "parameters": adapter.parameters,
            "rank": adapter.rank,
            "scale": f64::from(adapter.scale) / 1e6,
        })
    };
    model.adapters().iter().map(object).collect()
}

/// The adapters of a model, a line each.
pub(crate) fn adapter_lines(model: &Model) -> Vec<String> {
    let line = |(number, adapter): (usize, &Adapter)| {
        format!(
            "adapter {number} \"{}\", rank {}, times {}",
            adapter.title(),
            adapter.rank,
            f64::from(adapter.scale) / 1e6
        )
    };
    model.adapters().iter().enumerate().map(line).collect()
}

/// What the model has otherwise than its file says, as sentences.
pub(crate) fn notes(model: &Model) -> Vec<String> {
    Note::of(model).iter().map(Note::to_string).collect()
}

/// Bytes a default context runs in: one step's activations, and the keys and values in f16.
pub(crate) fn runtime_bytes(model: &Model, query: &Query) -> u64 {
    model
        .step_bytes
        .saturating_add(model.kv_bytes_of(model.default_context(query)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_gives_memory_by_part_and_absent_ids_as_null() {
        let model = Model {
            step_bytes: 100,
            kv_block_bytes: 10,
            context: 64,
            bos: u32::MAX,
            eos: 2,
            pooling: 2,
            encoder: 1,
            ..Default::default()
        };
        let query = Query {
            context_default: 4096,
            ..Default::default()
        };
        let object = object(&model, &query);
        assert_eq!(object["runtime_bytes"], json!(120));
        assert_eq!((&object["bos"], &object["eos"]), (&Value::Null, &json!(2)));
        let (pooling, encoder) = (&object["pooling"], &object["encoder"]);
        assert_eq!((pooling, encoder), (&json!("mean"), &json!(true)));
    }
}
