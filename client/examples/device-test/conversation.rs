// SPDX-License-Identifier: MIT OR Apache-2.0
//! A model that holds conversations, against llama.cpp's numbers: its chat template, its answers, its perplexity.

use serde_json::Value;

use crate::reference::{client, ids};
use crate::report::{Failure, Report};

/// Distance of the two best logits below which another id is no error, as for other quantized files.
const CLOSE: f64 = 0.5;
/// How far a mean negative log-likelihood may be.
const NLL: f64 = 0.05;
/// Ids of the text that are scored.
const TEXT_IDS: usize = 250;

/// Compares `model` with `reference`, whose text of `perplexity` is `text`.
pub(crate) fn run(
    report: &mut Report,
    model: &str,
    reference: &str,
    text: &str,
) -> Result<(), Failure> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(reference)?)?;
    for (index, case) in file["prompts"]
        .as_array()
        .ok_or("no prompts")?
        .iter()
        .enumerate()
    {
        let test = format!("conversation/{index}");
        let wanted = ids(&case["prompt_ids"])?;
        if let Some(found) = prompt_ids(model, case)? {
            report.equal(&format!("{test}/prompt-ids"), found, wanted.clone());
        }
        let wrong = wrong_steps(model, case, &wanted)?;
        report.equal(&format!("{test}/answer"), wrong, vec![]);
    }
    let text = std::fs::read_to_string(text)?;
    let tokens = ids(&client(&["tokenize", "--json", "-m", model, &text])?["ids"])?;
    let scored = evaluate(model, tokens.get(..TEXT_IDS).ok_or("a short text")?, "0")?;
    let found = scored["mean_nll"].as_f64().ok_or("no mean")?;
    let wanted = file["perplexity"]["mean_nll_first_250"]
        .as_f64()
        .ok_or("no mean")?;
    let off = (found - wanted).abs();
    report.equal(
        "conversation/perplexity",
        if off < NLL { 0.0 } else { off },
        0.0,
    );
    Ok(())
}

/// The ids of a prompt: a text, or a message and what the system says before it, by the template; None for a
/// longer conversation.
fn prompt_ids(model: &str, case: &Value) -> Result<Option<Vec<u64>>, Failure> {
    let mut arguments = vec!["infer", "--json", "-n", "1", "-m", model];
    if let Some(prompt) = case["prompt"].as_str() {
        arguments.extend(["--", prompt]);
    } else {
        let messages = case["messages"].as_array().ok_or("no messages")?;
        let content = |message: &Value| message["content"].as_str().map(str::to_owned);
        let contents: Option<Vec<String>> = messages.iter().map(content).collect();
        let contents = contents.ok_or("no contents")?;
        return match &contents[..] {
            [user] => {
                arguments.extend(["--chat", "--", user]);
                ids(&client(&arguments)?["prompt_ids"]).map(Some)
            }
            [system, user] => {
                arguments.extend(["--chat", "--system", system, "--", user]);
                ids(&client(&arguments)?["prompt_ids"]).map(Some)
            }
            _ => Ok(None),
        };
    }
    ids(&client(&arguments)?["prompt_ids"]).map(Some)
}

/// The steps of llama.cpp's answer at which another token is the most likely one, though the reference was sure.
fn wrong_steps(model: &str, case: &Value, prompt: &[u64]) -> Result<Vec<usize>, Failure> {
    let answer = ids(&case["gen_ids"])?;
    let result = evaluate(model, &[prompt, &answer].concat(), "1")?;
    let rows = result["top"].as_array().ok_or("no candidates")?;
    let rows = rows.iter().skip(prompt.len() - 1);
    let mut wrong = vec![];
    for (step, (row, wanted)) in rows.zip(&answer).enumerate() {
        let found = row[0][0].as_u64().ok_or("no candidate")?;
        let gap = case["step_gaps"][step].as_f64().ok_or("no gap")?;
        if found != *wanted && gap >= CLOSE {
            wrong.push(step);
        }
    }
    Ok(wrong)
}

fn evaluate(model: &str, tokens: &[u64], top: &str) -> Result<Value, Failure> {
    let tokens: Vec<String> = tokens.iter().map(u64::to_string).collect();
    let tokens = tokens.join(",");
    client(&[
        "eval", "--json", "--kv", "f32", "--top", top, "-m", model, "--ids", &tokens,
    ])
}
