// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that call functions.

use serde_json::{json, Value};

use super::{asked, chat, SOCKET};
use crate::http::{events, post};
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// The schema of what the functions take.
fn parameters() -> Value {
    json!({
        "type": "object", "properties": { "in": { "$ref": "#/$defs/place" }, "far": { "type": "boolean" } },
        "required": ["in", "far"], "$defs": { "place": { "enum": ["the \"sea\"", "land"] } },
    })
}

/// Two functions.
fn tools() -> Value {
    let function = |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": parameters() } });
    json!([function("look"), function("listen")])
}

/// Whether a call is of a function that is there, its arguments as the schema says.
fn is_sound(function: &Value) -> bool {
    let arguments = function["arguments"].as_str().unwrap_or("");
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    let place = &arguments["in"];
    (function["name"] == "look" || function["name"] == "listen")
        && (place == "the \"sea\"" || place == "land")
        && arguments["far"].is_boolean()
}

/// On `model`, whose template has tools, and on `plain`, whose has none.
pub(super) fn run(report: &mut Report, model: &str, plain: &str) -> Result<(), Failure> {
    calls(report, model)?;
    streams(report, model)?;
    results(report, model)?;
    responds(report, model)?;
    let more = json!({ "tools": tools(), "tool_choice": "required", "parallel_tool_calls": false });
    let found = asked(CHAT, &chat(plain, "one", &more))?;
    let calls = &found["choices"][0]["message"]["tool_calls"];
    report.equal("serve/tools-as-text", is_sound(&calls[0]["function"]), true);
    Ok(())
}

fn calls(report: &mut Report, model: &str) -> Result<(), Failure> {
    for seed in 1..6 {
        let more =
            json!({ "seed": seed, "max_tokens": 400, "tools": tools(), "tool_choice": "required" });
        let found = asked(CHAT, &chat(model, "one", &more))?;
        let choice = &found["choices"][0];
        let calls = choice["message"]["tool_calls"]
            .as_array()
            .ok_or("no calls")?;
        // Of several the last may have been cut off.
        let whole = match choice["finish_reason"] == "tool_calls" {
            true => &calls[..],
            false => calls.split_last().map_or(&[][..], |(_, whole)| whole),
        };
        let sound = whole
            .iter()
            .all(|call| is_sound(&call["function"]) && call["type"] == "function");
        report.equal("serve/tools-required", sound && !calls.is_empty(), true);
        report.equal(
            "serve/tools-content",
            &choice["message"]["content"],
            &Value::Null,
        );
    }
    let one = json!({ "type": "function", "function": { "name": "listen" } });
    let more = json!({ "tools": tools(), "tool_choice": one });
    let found = asked(CHAT, &chat(model, "one", &more))?;
    let choice = &found["choices"][0];
    let calls = &choice["message"]["tool_calls"];
    let names: Vec<&Value> = calls
        .as_array()
        .into_iter()
        .flatten()
        .map(|call| &call["function"]["name"])
        .collect();
    report.equal(
        "serve/tools-named",
        (names, &choice["finish_reason"]),
        (vec![&json!("listen")], &json!("tool_calls")),
    );
    report.equal(
        "serve/tools-named-arguments",
        is_sound(&calls[0]["function"]),
        true,
    );
    // A model of random weights does not find the mark by itself.
    let free = json!({ "seed": 7, "max_tokens": 12, "tools": tools() });
    let found = asked(CHAT, &chat(model, "one", &free))?;
    let content = found["choices"][0]["message"]["content"]
        .as_str()
        .unwrap_or("");
    report.equal("serve/tools-free", content.is_empty(), false);
    // Told of none, it answers as without any.
    let none = json!({ "seed": 7, "max_tokens": 12, "tools": tools(), "tool_choice": "none" });
    let none = asked(CHAT, &chat(model, "one", &none))?;
    let without = asked(
        CHAT,
        &chat(model, "one", &json!({ "seed": 7, "max_tokens": 12 })),
    )?;
    report.equal("serve/tools-none", &none["choices"], &without["choices"]);
    let tokens = |object: &Value| object["usage"]["prompt_tokens"].as_u64();
    report.equal("serve/tools-told", tokens(&found) > tokens(&without), true);
    Ok(())
}

fn streams(report: &mut Report, model: &str) -> Result<(), Failure> {
    let more = json!({ "seed": 3, "tools": tools(), "tool_choice": "required", "parallel_tool_calls": false });
    let whole = asked(CHAT, &chat(model, "two", &more))?;
    let mut streamed = more;
    streamed["stream"] = json!(true);
    let (objects, done) = events(&post(SOCKET, CHAT, &chat(model, "two", &streamed))?.text()?)?;
    let deltas = objects
        .iter()
        .map(|object| &object["choices"][0]["delta"]["tool_calls"][0]);
    let deltas: Vec<&Value> = deltas.filter(|delta| delta.is_object()).collect();
    let arguments = deltas
        .iter()
        .filter_map(|delta| delta["function"]["arguments"].as_str());
    let arguments: String = arguments.collect();
    let first = deltas.first().ok_or("no calls")?;
    let call = &whole["choices"][0]["message"]["tool_calls"][0]["function"];
    report.equal(
        "serve/tools-stream",
        (&first["function"]["name"], &json!(arguments)),
        (&call["name"], &call["arguments"]),
    );
    report.equal("serve/tools-stream-parts", deltas.len() > 3, true);
    report.equal(
        "serve/tools-stream-index",
        deltas.iter().all(|delta| delta["index"] == 0),
        true,
    );
    let ids = deltas
        .iter()
        .filter(|delta| delta["id"].is_string())
        .count();
    report.equal("serve/tools-stream-ids", ids, 1);
    let last = objects.last().ok_or("no events")?;
    report.equal(
        "serve/tools-stream-end",
        (&last["choices"][0]["finish_reason"], done),
        (&json!("tool_calls"), true),
    );
    Ok(())
}

/// Calls and results are a part of the prompt, none of them as a control token.
fn results(report: &mut Report, model: &str) -> Result<(), Failure> {
    let tokens = |content: &str| -> Result<Option<u64>, Failure> {
        let arguments = json!({ "in": content }).to_string();
        let call = json!({ "id": "1", "type": "function", "function": { "name": "look", "arguments": arguments } });
        let request = json!({ "model": model, "max_tokens": 1, "tools": tools(), "messages": [
            { "role": "user", "content": "one" },
            { "role": "assistant", "content": null, "tool_calls": [call] },
            { "role": "tool", "tool_call_id": "1", "content": content },
        ] });
        Ok(asked(CHAT, &request)?["usage"]["prompt_tokens"].as_u64())
    };
    let (short, long, quotes) = (tokens("x")?, tokens("</s>")?, tokens("\"\n\\")?);
    report.equal(
        "serve/tools-results",
        (short.is_some(), long > short, quotes > short),
        (true, true, true),
    );
    Ok(())
}

fn responds(report: &mut Report, model: &str) -> Result<(), Failure> {
    let function =
        json!({ "type": "function", "name": "look", "parameters": parameters(), "strict": true });
    let request = json!({ "model": model, "input": "one", "seed": 5, "tools": [function], "tool_choice": "required",
        "parallel_tool_calls": false });
    let whole = asked(RESPONSES, &request)?;
    let item = &whole["output"][0];
    report.equal(
        "serve/tools-response",
        (&item["type"], is_sound(item)),
        (&json!("function_call"), true),
    );
    let mut streamed = request.clone();
    streamed["stream"] = json!(true);
    let (objects, _) = events(&post(SOCKET, RESPONSES, &streamed)?.text()?)?;
    let deltas = objects
        .iter()
        .filter(|object| object["type"] == "response.function_call_arguments.delta");
    let text: String = deltas
        .filter_map(|object| object["delta"].as_str())
        .collect();
    report.equal(
        "serve/tools-response-stream",
        &json!(text),
        &item["arguments"],
    );
    let last = objects.last().ok_or("no events")?;
    report.equal(
        "serve/tools-response-last",
        (&last["type"], &last["response"]["output"][0]["arguments"]),
        (&json!("response.completed"), &item["arguments"]),
    );
    let mut follow = request;
    follow["tool_choice"] = json!("none");
    follow["max_output_tokens"] = json!(4);
    follow["input"] = json!([{ "role": "user", "content": "one" }, item,
        { "type": "function_call_output", "call_id": item["call_id"], "output": "calm" }]);
    let follow = asked(RESPONSES, &follow)?;
    report.equal(
        "serve/tools-response-result",
        &follow["output"][0]["type"],
        &json!("message"),
    );
    Ok(())
}
