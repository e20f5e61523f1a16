// SPDX-License-Identifier: MIT OR Apache-2.0
//! Log-probabilities, and answers of a format.

use serde_json::{json, Value};

use super::{asked, chat, SOCKET};
use crate::http::{events, post};
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";

/// Both.
pub(super) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    scores(report, model)?;
    formats(report, model)
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

/// An answer of a format is one, whole or streamed.
fn formats(report: &mut Report, model: &str) -> Result<(), Failure> {
    let schema = json!({
        "type": "object", "properties": { "a": { "enum": ["b", 1] }, "c": { "type": "boolean" } },
        "required": ["a", "c"], "additionalProperties": false,
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "a", "schema": schema } });
    let options = json!({ "seed": 7, "response_format": format });
    let found = asked(CHAT, &chat(model, "one", &options))?;
    let content = found["choices"][0]["message"]["content"].as_str();
    let object: Value = serde_json::from_str(content.unwrap_or(""))?;
    let sound = object["c"].is_boolean() && (object["a"] == "b" || object["a"] == 1);
    let end = &found["choices"][0]["finish_reason"];
    report.equal("serve/schema", (sound, end), (true, &json!("stop")));
    let stream = json!({ "seed": 7, "response_format": format, "stream": true });
    let (chunks, _) = events(&post(SOCKET, CHAT, &chat(model, "one", &stream))?.text()?)?;
    let parts = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    report.equal(
        "serve/schema-stream",
        Some(&*parts.collect::<String>()),
        content,
    );
    let text = json!({ "format": { "type": "json_schema", "name": "a", "schema": schema } });
    let request = json!({ "model": model, "input": "one", "seed": 7, "text": text });
    let found = asked("/v1/responses", &request)?;
    let output = found["output"][0]["content"][0]["text"].as_str();
    report.equal("serve/schema-response", output, content);
    let wrong = json!({ "type": "json_schema", "json_schema": { "schema": { "type": "none" } } });
    let wrong = chat(model, "one", &json!({ "response_format": wrong }));
    let refused = post(SOCKET, CHAT, &wrong)?;
    let (status, error) = (refused.status, refused.object()?);
    report.equal(
        "serve/schema-that-is-none",
        (status, &error["error"]["param"]),
        (400, &json!("response_format")),
    );
    Ok(())
}
