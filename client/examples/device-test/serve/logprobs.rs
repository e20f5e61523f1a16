// SPDX-License-Identifier: MIT OR Apache-2.0
//! Log-probabilities of answers and prompts.

use serde_json::{json, Value};

use super::{asked, chat, SOCKET};
use crate::http::{events, post};
use crate::reference::client;
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// Those of all endpoints.
pub(super) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    scores(report, model)?;
    echoes(report, model)?;
    responds(report, model)
}

/// Log-probabilities change no token, and are told of each.
fn scores(report: &mut Report, model: &str) -> Result<(), Failure> {
    let plain = chat(model, "one", &json!({ "seed": 7, "max_tokens": 12 }));
    let plain = asked(CHAT, &plain)?;
    let options = json!({ "seed": 7, "max_tokens": 12, "logprobs": true, "top_logprobs": 3, "stop": ["~~~"] });
    let scored = asked(CHAT, &chat(model, "one", &options))?;
    let (choice, wanted) = (&scored["choices"][0], &plain["choices"][0]);
    report.equal(
        "serve/logprobs-same-text",
        (&choice["message"], &choice["finish_reason"]),
        (&wanted["message"], &wanted["finish_reason"]),
    );
    let tokens = choice["logprobs"]["content"].as_array();
    let tokens = tokens.ok_or("no log-probabilities")?;
    let bytes: Vec<u8> = tokens
        .iter()
        .flat_map(|token| token["bytes"].as_array().into_iter().flatten())
        .filter_map(|byte| u8::try_from(byte.as_u64()?).ok())
        .collect();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    report.equal(
        "serve/logprobs-bytes",
        &json!(text),
        &choice["message"]["content"],
    );
    let sound = tokens.iter().all(|token| {
        let top = token["top_logprobs"].as_array();
        let scores = |token: &Value| token["logprob"].as_f64();
        top.is_some_and(|top| {
            top.len() == 3
                && top
                    .iter()
                    .map(scores)
                    .is_sorted_by(|one, other| one >= other)
        }) && scores(token) <= top.and_then(|top| top.first()).and_then(scores)
    });
    report.equal("serve/logprobs-top", sound, true);
    let request = json!({ "model": model, "prompt": "one ten", "max_tokens": 8, "temperature": 0, "logprobs": 1 });
    let found = asked("/v1/completions", &request)?;
    let scores = &found["choices"][0]["logprobs"];
    // Greedy: the first token is the likeliest.
    let first = scores["tokens"][0].as_str().ok_or("no tokens")?;
    report.equal(
        "serve/completion-logprobs",
        &scores["top_logprobs"][0][first],
        &scores["token_logprobs"][0],
    );
    report.equal(
        "serve/completion-offset",
        &scores["text_offset"][0],
        &json!(0),
    );
    Ok(())
}

/// A prompt that is repeated has the log-probabilities of `eval`.
fn echoes(report: &mut Report, model: &str) -> Result<(), Failure> {
    let request = json!({
        "model": model, "prompt": ["one ten", "two"], "max_tokens": 4, "temperature": 0, "echo": true, "logprobs": 2,
    });
    let found = asked("/v1/completions", &request)?;
    for (place, prompt) in ["one ten", "two"].into_iter().enumerate() {
        let choice = &found["choices"][place];
        let list = |name: &str| choice["logprobs"][name].as_array().ok_or("no list");
        let tokens: Option<String> = list("tokens")?.iter().map(Value::as_str).collect();
        let text = choice["text"].as_str();
        report.equal(
            &format!("serve/echo-tokens-{place}"),
            tokens.as_deref(),
            text,
        );
        let wanted = client(&["eval", "--json", "-m", model, prompt])?;
        let wanted = wanted["log_probabilities"].as_array().ok_or("no scores")?;
        let wanted: Vec<f64> = wanted
            .iter()
            .skip(1)
            .filter_map(Value::as_f64)
            .map(|score| score / 1e6)
            .collect();
        let scores = list("token_logprobs")?.iter().filter_map(Value::as_f64);
        let scores: Vec<f64> = scores.take(wanted.len()).collect();
        report.equal(&format!("serve/echo-scores-{place}"), scores, wanted);
        let top = list("top_logprobs")?.iter().filter_map(Value::as_object);
        let sound =
            top.clone().count() > 4 && top.into_iter().all(|top| (1..=2).contains(&top.len()));
        report.equal(&format!("serve/echo-top-{place}"), sound, true);
    }
    Ok(())
}

/// A response has those of the chat that it is, whole or streamed.
fn responds(report: &mut Report, model: &str) -> Result<(), Failure> {
    let options = json!({ "seed": 3, "max_tokens": 12, "logprobs": true, "top_logprobs": 2 });
    let wanted = asked(CHAT, &chat(model, "two", &options))?;
    let wanted = &wanted["choices"][0]["logprobs"]["content"];
    let mut request = json!({
        "model": model, "input": "two", "seed": 3, "max_output_tokens": 12, "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
    });
    let whole = asked(RESPONSES, &request)?;
    report.equal(
        "serve/response-logprobs",
        &whole["output"][0]["content"][0]["logprobs"],
        wanted,
    );
    request["stream"] = json!(true);
    let (objects, _) = events(&post(SOCKET, RESPONSES, &request)?.text()?)?;
    let deltas = objects
        .iter()
        .filter(|event| event["type"] == "response.output_text.delta");
    let lists = deltas.filter_map(|event| event["logprobs"].as_array());
    let streamed: Value = lists.flatten().cloned().collect();
    report.equal("serve/response-logprobs-streamed", &streamed, wanted);
    Ok(())
}
