// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers of a format.

use serde_json::{json, Value};

use super::{asked, chat, SOCKET};
use crate::http::{events, post};
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";

/// An answer of a format is one, whole or streamed.
pub(super) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
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
