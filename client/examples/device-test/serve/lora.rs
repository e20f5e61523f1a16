// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests with scales of adapters.

use nix::sys::signal::Signal;
use serde_json::{json, Value};

use super::{asked, Server, SOCKET};
use crate::http::post;
use crate::reference::client;
use crate::report::{Failure, Report};

const PATH: &str = "/v1/completions";

/// Compares answers of `model`, which has one adapter, with those of `infer`; its server keeps one context.
pub(crate) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let listen = format!("unix:{SOCKET}");
    let server = Server::command(&["--listen", &listen])?.waits_at(SOCKET)?;
    let request = |lora: Value| json!({ "model": model, "prompt": "one ten", "max_tokens": 12, "temperature": 0, "ignore_eos": true, "lora": lora });
    let mut texts = Vec::new();
    for scale in ["0", "0.5", "2", "0"] {
        let lora = format!("0={scale}");
        let options = [
            "-m",
            model,
            "--preset",
            "greedy",
            "--ignore-eos",
            "-n",
            "12",
        ];
        let wanted = client(
            &[
                &["infer", "--json"],
                &options[..],
                &["--lora", &lora, "one ten"],
            ]
            .concat(),
        )?;
        let scale: f64 = scale.parse()?;
        let found = asked(PATH, &request(json!([{ "id": 0, "scale": scale }])))?;
        let text = found["choices"][0]["text"].clone();
        report.equal(&format!("serve-lora/times-{scale}"), &text, &wanted["text"]);
        texts.push(text);
    }
    // A test of scales that all answer alike would be none.
    report.equal("serve-lora/scales-differ", texts[0] != texts[2], true);
    let off = asked(PATH, &request(json!([])))?;
    report.equal(
        "serve-lora/not-named-is-off",
        &off["choices"][0]["text"],
        &texts[0],
    );
    for (name, lora) in [
        ("unknown", json!([{ "id": 1, "scale": 1 }])),
        ("malformed", json!([0])),
    ] {
        let refused = post(SOCKET, PATH, &request(lora))?;
        let status = refused.status;
        let param = refused.object()?["error"]["param"].clone();
        report.equal(
            &format!("serve-lora/{name}"),
            (status, param),
            (400, json!("lora")),
        );
    }
    report.equal(
        "serve-lora/exit-code",
        server.ends(Signal::SIGTERM)?,
        Some(0),
    );
    Ok(())
}
