// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several answers to one request, by two sessions or by one.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use serde_json::{json, Value};
use sislm::Device;

use super::{asked, cancelled, chat, waits_for, Server, SOCKET};
use crate::http::{get, post};
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";

/// The same answers whoever makes them; a client that goes away ends both turns.
pub(super) fn run(report: &mut Report, model: &str, slow: &str) -> Result<(), Failure> {
    let server = Server::start(&["--turns", "4"])?;
    let two = choices(model)?;
    hang_up(report, slow)?;
    server.ends(Signal::SIGTERM)?;
    let server = Server::start(&["--turns", "1"])?;
    let one = choices(model)?;
    let each = (0..4).map(|number| {
        let single = chat(
            model,
            "one",
            &json!({ "seed": 7 + number, "max_tokens": 24 }),
        );
        Ok(asked(CHAT, &single)?["choices"][0]["message"].clone())
    });
    let each: Vec<Value> = each.collect::<Result<_, Failure>>()?;
    server.ends(Signal::SIGTERM)?;
    report.equal("serve/several-by-two-sessions", &two, &one);
    let listed = two[0].as_array().ok_or("no choices")?;
    let listed: Vec<Value> = listed
        .iter()
        .map(|choice| choice["message"].clone())
        .collect();
    report.equal("serve/several-as-each", &listed, &each);
    let different: BTreeSet<String> = each.iter().map(Value::to_string).collect();
    report.equal("serve/several-differ", different.len() > 1, true);
    Ok(())
}

/// What some requests for several answers come to.
fn choices(model: &str) -> Result<Vec<Value>, Failure> {
    let schema = json!({ "type": "json_schema", "json_schema": { "name": "a", "schema": { "enum": ["b", 1, [2]] } } });
    let prompts = json!({ "model": model, "prompt": ["one", "ten two"], "n": 3, "seed": 9, "max_tokens": 16, "logprobs": 2 });
    let requests = [
        (
            CHAT,
            chat(
                model,
                "one",
                &json!({ "n": 4, "seed": 7, "max_tokens": 24 }),
            ),
        ),
        (
            CHAT,
            chat(
                model,
                "one",
                &json!({ "n": 8, "seed": 5, "response_format": schema }),
            ),
        ),
        ("/v1/completions", prompts),
    ];
    let answers = requests.iter().map(|(path, request)| {
        let answer = asked(path, request)?;
        Ok(answer["choices"].clone())
    });
    answers.collect()
}

/// Two answers at once, of which the client hears no end.
fn hang_up(report: &mut Report, slow: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let before = device.statistics()?.cancelled;
    let more = json!({ "stream": true, "n": 4, "logit_bias": { "2": -100 } });
    let mut response = post(SOCKET, CHAT, &chat(slow, "one", &more))?;
    let mut said = BTreeSet::new();
    // The third answer comes after one of the first two.
    while said.len() < 2 {
        let chunk = response.chunk()?.ok_or("it ended")?;
        let of = (0..4)
            .filter(|index| chunk.contains(&format!("\"index\":{index},\"delta\":{{\"content\"")));
        said.extend(of);
    }
    report.equal(
        "serve/several-at-once",
        said.into_iter().collect(),
        vec![0, 1],
    );
    let load: Value = get(SOCKET, "/get_load")?.object()?;
    report.equal("serve/several-load", &load["load"], &json!(2));
    drop(response);
    waits_for("turns to end", || {
        let load: Value = get(SOCKET, "/get_load")?.object()?;
        Ok(load["load"] == json!(0))
    })?;
    let cancelled = cancelled(&device, before, 2)?;
    report.equal("serve/several-cancelled", cancelled, 2);
    Ok(())
}
