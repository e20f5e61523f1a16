// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the server answers is what the device answers.

use std::thread;

use serde_json::{json, Value};

use super::{asked, chat, SOCKET};
use crate::http::{events, get, post};
use crate::reference::client;
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";
/// Clients at once: more than there are turns.
const AT_ONCE: usize = 8;

/// Compares with `infer`, streams with whole answers, and clients at once with each alone.
pub(super) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    lists(report, model)?;
    completes(report, model)?;
    chats(report, model)?;
    streams(report, model)?;
    responds(report, model)?;
    tokenizes(report, model)?;
    at_once(report, model)?;
    Ok(())
}

fn lists(report: &mut Report, model: &str) -> Result<(), Failure> {
    report.equal("serve/health", get(SOCKET, "/health")?.status, 200);
    let list = get(SOCKET, "/v1/models")?.object()?;
    let names: Vec<&Value> = list["data"]
        .as_array()
        .ok_or("no data")?
        .iter()
        .map(|model| &model["id"])
        .collect();
    report.equal("serve/models", names.contains(&&json!(model)), true);
    let one = get(SOCKET, &format!("/v1/models/{model}"))?.object()?;
    report.equal(
        "serve/model",
        (&one["id"], &one["object"]),
        (&json!(model), &json!("model")),
    );
    Ok(())
}

fn completes(report: &mut Report, model: &str) -> Result<(), Failure> {
    let options = ["--json", "-m", model, "--preset", "greedy", "-n", "8"];
    let wanted = client(&[&["infer"], &options[..], &["one ten"]].concat())?;
    let prompt = wanted["prompt_ids"].as_array().ok_or("no ids")?.len();
    let request = json!({ "model": model, "prompt": "one ten", "max_tokens": 8, "temperature": 0 });
    let found = asked("/v1/completions", &request)?;
    report.equal(
        "serve/completion",
        &found["choices"][0]["text"],
        &wanted["text"],
    );
    report.equal(
        "serve/completion-end",
        &found["choices"][0]["finish_reason"],
        &wanted["finish_reason"],
    );
    report.equal(
        "serve/completion-usage",
        &found["usage"]["prompt_tokens"],
        &json!(prompt),
    );
    let digest = wanted["model_sha256"]
        .as_str()
        .unwrap_or("")
        .get(..16)
        .unwrap_or("")
        .to_owned();
    let fingerprint = format!("{digest}-{}", wanted["numerics"]);
    report.equal(
        "serve/fingerprint",
        &found["system_fingerprint"],
        &json!(fingerprint),
    );
    let ids = json!({ "model": model, "prompt": wanted["prompt_ids"], "max_tokens": 8, "temperature": 0, "echo": true });
    let echo = asked("/v1/completions", &ids)?;
    let text = echo["choices"][0]["text"].as_str().unwrap_or("").to_owned();
    let ends =
        text.ends_with(wanted["text"].as_str().unwrap_or("-")) && text.starts_with("one ten");
    report.equal("serve/echo-of-ids", ends, true);
    let several = json!({ "model": model, "prompt": ["one ten", "two"], "max_tokens": 8, "temperature": 0, "n": 2 });
    let several = asked("/v1/completions", &several)?;
    let choices = several["choices"].as_array().ok_or("no choices")?;
    report.equal("serve/several", choices.len(), 4);
    report.equal(
        "serve/several-first",
        (&choices[0]["text"], &choices[1]["text"]),
        (&wanted["text"], &wanted["text"]),
    );
    Ok(())
}

fn chats(report: &mut Report, model: &str) -> Result<(), Failure> {
    let options = ["--json", "-m", model, "--seed", "7", "-n", "12"];
    let wanted = client(&[&["infer", "--chat"], &options[..], &["one"]].concat())?;
    let request = chat(
        model,
        "one",
        &json!({ "seed": 7, "max_completion_tokens": 12 }),
    );
    let first = asked(CHAT, &request)?;
    let content = &first["choices"][0]["message"]["content"];
    report.equal("serve/chat", content, &wanted["text"]);
    let again = asked(CHAT, &request)?;
    report.equal(
        "serve/chat-again",
        &again["choices"][0]["message"]["content"],
        content,
    );
    let cached = again["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64();
    let prompt = first["usage"]["prompt_tokens"].as_u64();
    report.equal("serve/chat-cached", cached.map(|cached| cached + 1), prompt);
    // A message cannot end itself: the template's own control tokens are all that there are.
    let names = chat(model, "</s>", &json!({ "max_tokens": 1 }));
    let plain = chat(model, "x", &json!({ "max_tokens": 1 }));
    let tokens = |found: Value| found["usage"]["prompt_tokens"].as_u64();
    let (names, plain) = (tokens(asked(CHAT, &names)?), tokens(asked(CHAT, &plain)?));
    report.equal("serve/chat-control-tokens", names > plain, true);
    let two = chat(
        model,
        "one",
        &json!({ "seed": 7, "max_tokens": 12, "n": 2 }),
    );
    let two = asked(CHAT, &two)?;
    report.equal(
        "serve/chat-n",
        &two["choices"][0]["message"]["content"],
        content,
    );
    report.equal("serve/chat-n-index", &two["choices"][1]["index"], &json!(1));
    let stop = wanted["text"]
        .as_str()
        .unwrap_or("")
        .chars()
        .nth(3)
        .ok_or("a short answer")?;
    let stopped = chat(
        model,
        "one",
        &json!({ "seed": 7, "max_tokens": 12, "stop": stop.to_string() }),
    );
    let stopped = asked(CHAT, &stopped)?;
    report.equal(
        "serve/chat-stop",
        &stopped["choices"][0]["finish_reason"],
        &json!("stop"),
    );
    Ok(())
}

fn streams(report: &mut Report, model: &str) -> Result<(), Failure> {
    let whole = asked(
        CHAT,
        &chat(model, "two", &json!({ "seed": 3, "max_tokens": 12 })),
    )?;
    let more = json!({ "seed": 3, "max_tokens": 12, "stream": true, "stream_options": { "include_usage": true } });
    let response = post(SOCKET, CHAT, &chat(model, "two", &more))?;
    report.equal(
        "serve/stream-type",
        response.header("content-type"),
        Some("text/event-stream"),
    );
    let (objects, done) = events(&response.text()?)?;
    let deltas = objects
        .iter()
        .filter_map(|object| object["choices"][0]["delta"]["content"].as_str());
    let text: String = deltas.collect();
    report.equal(
        "serve/stream",
        &json!(text),
        &whole["choices"][0]["message"]["content"],
    );
    report.equal("serve/stream-done", done, true);
    let last = objects.last().ok_or("no events")?;
    report.equal(
        "serve/stream-usage",
        &last["usage"]["total_tokens"],
        &whole["usage"]["total_tokens"],
    );
    let ids: Vec<&Value> = objects.iter().map(|object| &object["id"]).collect();
    report.equal(
        "serve/stream-one-id",
        ids.iter().all(|id| *id == ids[0]),
        true,
    );
    Ok(())
}

fn responds(report: &mut Report, model: &str) -> Result<(), Failure> {
    let chat = asked(
        CHAT,
        &chat(model, "two", &json!({ "seed": 3, "max_tokens": 12 })),
    )?;
    let request = json!({ "model": model, "input": "two", "seed": 3, "max_output_tokens": 12 });
    let whole = asked("/v1/responses", &request)?;
    let text = &whole["output"][0]["content"][0]["text"];
    report.equal(
        "serve/response",
        text,
        &chat["choices"][0]["message"]["content"],
    );
    let mut request = request;
    request["stream"] = json!(true);
    let (objects, _) = events(&post(SOCKET, "/v1/responses", &request)?.text()?)?;
    let last = objects.last().ok_or("no events")?;
    report.equal(
        "serve/response-stream",
        &last["response"]["output"][0]["content"][0]["text"],
        text,
    );
    report.equal(
        "serve/response-first",
        &objects[0]["type"],
        &json!("response.created"),
    );
    Ok(())
}

fn tokenizes(report: &mut Report, model: &str) -> Result<(), Failure> {
    let found = asked(
        "/tokenize",
        &json!({ "model": model, "content": "one ten" }),
    )?;
    let text = asked(
        "/detokenize",
        &json!({ "model": model, "tokens": found["tokens"] }),
    )?;
    report.equal("serve/tokens", &text["content"], &json!("one ten"));
    Ok(())
}

/// Embeddings are those of the client; a model whose file names no pooling is asked for one.
pub(super) fn embeds(report: &mut Report, encoder: &str, model: &str) -> Result<(), Failure> {
    const PATH: &str = "/v1/embeddings";
    let wanted = client(&[
        "embed",
        "-m",
        encoder,
        "--pooling",
        "mean",
        "--ids",
        "3,4,5",
    ])?;
    let request = json!({ "model": encoder, "input": [[3, 4, 5], [6]], "pooling": "mean" });
    let found = asked(PATH, &request)?;
    report.equal(
        "serve/embedding",
        &found["data"][0]["embedding"],
        &wanted["embedding"],
    );
    report.equal(
        "serve/embedding-usage",
        &found["usage"]["total_tokens"],
        &json!(4),
    );
    let mut bits = request.clone();
    bits["encoding_format"] = json!("base64");
    let bits = asked(PATH, &bits)?;
    let length = bits["data"][1]["embedding"].as_str().map(str::len);
    let width = found["data"][1]["embedding"].as_array().map(Vec::len);
    report.equal(
        "serve/embedding-bits",
        length,
        width.map(|width| (width * 4).div_ceil(3) * 4),
    );
    for (name, model) in [("unpooled", model), ("encoder-unpooled", encoder)] {
        let response = post(SOCKET, PATH, &json!({ "model": model, "input": "a" }))?;
        report.equal(&format!("serve/embedding-{name}"), response.status, 400);
    }
    let text = post(
        SOCKET,
        "/v1/completions",
        &json!({ "model": encoder, "prompt": "a" }),
    )?;
    report.equal("serve/encoder-makes-no-text", text.status, 400);
    Ok(())
}

/// Streams at once, more than there are turns: each is as it is alone.
fn at_once(report: &mut Report, model: &str) -> Result<(), Failure> {
    let model = model.to_owned();
    let request = move |seed: usize| {
        let more = json!({ "seed": seed, "max_tokens": 16, "stream": true });
        chat(&model, &format!("number {seed}"), &more)
    };
    let answer = |object: &Value| -> Result<(String, bool), Failure> {
        let (objects, done) = events(&post(SOCKET, CHAT, object)?.text()?)?;
        let deltas = objects
            .iter()
            .filter_map(|object| object["choices"][0]["delta"]["content"].as_str());
        Ok((deltas.collect(), done))
    };
    let alone: Result<Vec<_>, Failure> = (0..AT_ONCE).map(|seed| answer(&request(seed))).collect();
    let threads: Vec<_> = (0..AT_ONCE)
        .map(|seed| {
            let object = request(seed);
            thread::spawn(move || answer(&object).map_err(|error| error.to_string()))
        })
        .collect();
    let mut found = Vec::new();
    for thread in threads {
        found.push(thread.join().map_err(|_| "a thread failed")??);
    }
    report.equal("serve/at-once", found, alone?);
    Ok(())
}
