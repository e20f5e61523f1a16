// SPDX-License-Identifier: MIT OR Apache-2.0
//! Greedy ids of a model against its NAME.ref.json, through `sislm-client infer --json`.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::report::{Failure, Report};

/// Distance of the two best logits below which another id is no error, for quantized files.
const CLOSE: f64 = 0.05;

/// Answers the prompts of `reference` with at most `tokens` tokens, with f32 keys and values as the reference had.
pub(crate) fn run(
    report: &mut Report,
    model: &str,
    reference: &str,
    tokens: &str,
) -> Result<(), Failure> {
    let file: Value = serde_json::from_str(&fs::read_to_string(reference)?)?;
    let limit: usize = tokens.parse()?;
    let name = model
        .rsplit('/')
        .next()
        .unwrap_or(model)
        .trim_end_matches(".gguf");
    let types = file["tensor_types"].as_object();
    let exact = types.is_some_and(|types| types.keys().all(|kind| kind == "F32" || kind == "F16"));
    for (index, case) in file["prompts"]
        .as_array()
        .ok_or("no prompts")?
        .iter()
        .enumerate()
    {
        let test = format!("reference/{name}/{index}");
        let prompt = case["prompt"].as_str().ok_or("no prompt")?;
        let prompt_ids = ids(&case["prompt_ids"])?;
        let mut wanted = ids(&case["gen_ids"])?;
        wanted.truncate(limit);
        let found = if prompt.is_empty() {
            most_likely(model, &prompt_ids, &wanted)?
        } else {
            let answer = infer(model, prompt, wanted.len())?;
            report.equal(
                &format!("{test}/prompt-ids"),
                ids(&answer["prompt_ids"])?,
                prompt_ids,
            );
            ids(&answer["ids"])?
        };
        let same = found
            .iter()
            .zip(&wanted)
            .take_while(|(a, b)| a == b)
            .count();
        if found != wanted && too_close(case, same, exact) {
            println!(
                "ok {test}/ids # {same} of {} equal, the next too close to call",
                wanted.len()
            );
        } else {
            report.equal(&format!("{test}/ids"), found, wanted);
        }
    }
    Ok(())
}

/// Whether the reference itself says that its choice at `step` could have been another: its two best logits came
/// close, or an independent float32 pass chose otherwise there.
fn too_close(case: &Value, step: usize, exact: bool) -> bool {
    let gap = case["min_top2_gap"]
        .as_f64()
        .is_some_and(|gap| !exact && gap < CLOSE);
    let doubted = case["numpy_teacher_forced_argmax_mismatch_steps"].as_array();
    gap || doubted.is_some_and(|steps| {
        steps
            .iter()
            .any(|doubt| doubt.as_u64() == u64::try_from(step).ok())
    })
}

/// The most likely id after each prefix of `ids`, which the device is given: an empty prompt is none to write.
fn most_likely(model: &str, prompt: &[u64], ids: &[u64]) -> Result<Vec<u64>, Failure> {
    let all: Vec<String> = prompt.iter().chain(ids).map(u64::to_string).collect();
    let answer = client(&[
        "eval",
        "--json",
        "--kv",
        "f32",
        "--top",
        "1",
        "-m",
        model,
        "--ids",
        &all.join(","),
    ])?;
    let rows = answer["top"].as_array().ok_or("no candidates")?;
    let rows = rows.iter().skip(prompt.len() - 1).take(ids.len());
    rows.map(|row| row[0][0].as_u64().ok_or_else(|| "no candidate".into()))
        .collect()
}

fn infer(model: &str, prompt: &str, tokens: usize) -> Result<Value, Failure> {
    let tokens = tokens.to_string();
    client(&[
        "infer", "--json", "--preset", "greedy", "--kv", "f32", "-m", model, "-n", &tokens, "--",
        prompt,
    ])
}

pub(crate) fn client(arguments: &[&str]) -> Result<Value, Failure> {
    let output = Command::new("sislm-client").args(arguments).output()?;
    if !output.status.success() {
        return Err(format!(
            "sislm-client: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

pub(crate) fn ids(value: &Value) -> Result<Vec<u64>, Failure> {
    let array = value.as_array().ok_or("no list of ids")?;
    array
        .iter()
        .map(|id| id.as_u64().ok_or_else(|| "an id is no number".into()))
        .collect()
}
