// SPDX-License-Identifier: GPL-2.0
//! Greedy ids of a model against its NAME.ref.json, through `sislm-client infer --json`.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::report::{Failure, Report};

/// Distance of the two best logits below which another id is no error, for quantized files.
const CLOSE: f64 = 0.05;

/// Infers the prompts of `reference`, at most `tokens` each, with f32 keys and values as the reference had.
pub fn run(report: &mut Report, model: &str, reference: &str, tokens: &str) -> Result<(), Failure> {
    let file: Value = serde_json::from_str(&fs::read_to_string(reference)?)?;
    let limit: usize = tokens.parse()?;
    let name = model
        .rsplit('/')
        .next()
        .unwrap_or(model)
        .trim_end_matches(".gguf");
    let exact = file["tensor_types"]
        .as_object()
        .is_some_and(|types| types.keys().all(|kind| kind == "F32" || kind == "F16"));
    for (index, case) in file["prompts"]
        .as_array()
        .ok_or("no prompts")?
        .iter()
        .enumerate()
    {
        let test = format!("reference/{name}/{index}");
        let prompt = case["prompt"].as_str().ok_or("no prompt")?;
        let prompt_ids = ids(&case["prompt_ids"])?;
        let wanted = ids(&case["gen_ids"])?;
        if prompt.is_empty() {
            println!("skip {test} an empty prompt is no prompt to the device");
            continue;
        }
        let count = limit.min(wanted.len());
        let answer = infer(model, prompt, count)?;
        report.equal(
            &format!("{test}/prompt-ids"),
            ids(&answer["prompt_ids"])?,
            prompt_ids,
        );
        let found = ids(&answer["ids"])?;
        let close = case["min_top2_gap"]
            .as_f64()
            .is_some_and(|gap| !exact && gap < CLOSE);
        if close && found != wanted[..count] {
            let same = found
                .iter()
                .zip(&wanted)
                .take_while(|(a, b)| a == b)
                .count();
            println!("ok {test}/ids # {same} of {count} equal; the reference's own choices are too close to call");
        } else {
            report.equal(&format!("{test}/ids"), found, wanted[..count].to_vec());
        }
    }
    Ok(())
}

fn infer(model: &str, prompt: &str, tokens: usize) -> Result<Value, Failure> {
    let output = Command::new("sislm-client")
        .args([
            "infer",
            "--json",
            "--preset",
            "greedy",
            "--kv",
            "f32",
            "-m",
            model,
            "-n",
            &tokens.to_string(),
            "--",
            prompt,
        ])
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "sislm-client infer: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn ids(value: &Value) -> Result<Vec<u64>, Failure> {
    let array = value.as_array().ok_or("no list of ids")?;
    array
        .iter()
        .map(|id| id.as_u64().ok_or_else(|| "an id is no number".into()))
        .collect()
}
