// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the server refuses, and how it says so.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::{json, Value};

use super::{asked, chat, waits_for, Server, SOCKET};
use crate::http::{connect, get, post, send};
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";

/// Wrong requests: each has its status and code, and the server goes on.
pub(super) fn run(report: &mut Report, model: &str) -> Result<(), Failure> {
    let long = "ten ".repeat(2000);
    let bias = json!({ "logit_bias": { "1000000": 1 } });
    for (name, path, object, status, code) in [
        (
            "no-model",
            CHAT,
            chat("none", "a", &json!({})),
            404,
            "model_not_found",
        ),
        (
            "no-ranks",
            CHAT,
            chat("auto", "a", &json!({})),
            404,
            "model_not_found",
        ),
        (
            "no-messages",
            CHAT,
            json!({ "model": model }),
            400,
            "invalid_value",
        ),
        (
            "too-long",
            CHAT,
            chat(model, &long, &json!({})),
            400,
            "context_length_exceeded",
        ),
        (
            "tools",
            CHAT,
            chat(model, "a", &json!({ "tools": [{}] })),
            400,
            "unsupported_parameter",
        ),
        (
            "top-p",
            CHAT,
            chat(model, "a", &json!({ "top_p": 2 })),
            400,
            "invalid_value",
        ),
        ("bias", CHAT, chat(model, "a", &bias), 400, "invalid_value"),
        (
            "token",
            "/v1/completions",
            json!({ "model": model, "prompt": [999_999] }),
            400,
            "invalid_value",
        ),
        (
            "store",
            "/v1/responses",
            json!({ "model": model, "input": "a", "store": true }),
            400,
            "unsupported_parameter",
        ),
    ] {
        let response = post(SOCKET, path, &object)?;
        let found = response.status;
        let object = response.object()?;
        report.equal(
            &format!("serve/refused-{name}"),
            (found, &object["error"]["code"]),
            (status, &json!(code)),
        );
    }
    let stream = post(SOCKET, CHAT, &chat("none", "a", &json!({ "stream": true })))?;
    report.equal("serve/refused-stream", stream.status, 404);
    let status = |method: &str, path: &str, head: &str, body: &[u8]| -> Result<u16, Failure> {
        Ok(send(SOCKET, method, path, head, body)?.status)
    };
    const JSON: &str = "content-type: application/json\r\n";
    report.equal("serve/no-json", status("POST", CHAT, JSON, b"{")?, 400);
    report.equal("serve/no-type", status("POST", CHAT, "", b"{}")?, 415);
    report.equal("serve/no-path", get(SOCKET, "/v2")?.status, 404);
    report.equal("serve/no-method", get(SOCKET, CHAT)?.status, 405);
    report.equal(
        "serve/large-body",
        status("POST", CHAT, JSON, &vec![b' '; 10 << 20])?,
        413,
    );
    let flood: String = (0..1000).map(|line| format!("x-{line}: y\r\n")).collect();
    report.equal(
        "serve/header-flood",
        status("GET", "/health", &flood, b"")?,
        431,
    );
    report.equal("serve/alive-after-all", get(SOCKET, "/health")?.status, 200);
    let metrics = get(SOCKET, "/metrics")?.text()?;
    let counted = r#"sislm_requests_total{endpoint="/v1/chat/completions",status="404"} 3"#;
    report.equal("serve/metrics", metrics.contains(counted), true);
    let load: Value = get(SOCKET, "/get_load")?.object()?;
    report.equal("serve/load", &load["load"], &json!(0));
    let answer = asked(
        CHAT,
        &chat(model, "a", &json!({ "max_tokens": 1, "unheard_of": 1 })),
    )?;
    report.equal("serve/unknown-field", answer["choices"].is_array(), true);
    Ok(())
}

/// Over TCP: keys, where the kernel has TCP.
pub(super) fn keys(report: &mut Report) -> Result<(), Failure> {
    const KEYS: &str = "/tmp/serve.keys";
    const PLACE: &str = "127.0.0.1:8090";
    // The loopback device is down where nobody has set it up.
    let _ = Command::new("ifconfig").args(["lo", "up"]).status();
    if TcpListener::bind("127.0.0.1:0").is_err() {
        println!("skip serve/keys this kernel has no TCP");
        return Ok(());
    }
    let public = Command::new("sislm-client")
        .args(["serve", "--listen", "0.0.0.0:8090"])
        .output()?;
    let said = String::from_utf8_lossy(&public.stderr).into_owned();
    report.equal(
        "serve/public-without-keys",
        said.contains("--keys FILE"),
        true,
    );
    // Of a run before.
    let _ = fs::remove_file(KEYS);
    let made = Command::new("sislm-client")
        .args(["key", "--keys", KEYS, "tester"])
        .output()?;
    let key = String::from_utf8(made.stdout)?;
    let server = Server::command(&["--listen", "0.0.0.0:8090", "--keys", KEYS])?;
    waits_for("an answer", || Ok(connect(PLACE).is_ok()))?;
    let status = |head: &str| -> Result<u16, Failure> {
        Ok(send(PLACE, "GET", "/v1/models", head, b"")?.status)
    };
    report.equal("serve/without-key", status("")?, 401);
    report.equal(
        "serve/wrong-key",
        status("authorization: Bearer sislm-0\r\n")?,
        401,
    );
    let right = format!("authorization: Bearer {}\r\n", key.trim());
    report.equal("serve/with-key", status(&right)?, 200);
    report.equal(
        "serve/exit-code-tcp",
        server.ends(Signal::SIGTERM)?,
        Some(0),
    );
    let server = Server::command(&["--listen", PLACE])?.waits_at(PLACE)?;
    report.equal("serve/loopback", status("")?, 200);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            thread::spawn(|| {
                (0..20)
                    .filter(|_| get(PLACE, "/health").is_ok_and(|response| response.status == 200))
                    .count()
            })
        })
        .collect();
    let answered = threads
        .into_iter()
        .map(|thread| thread.join().unwrap_or(0))
        .sum::<usize>();
    report.equal("serve/connections-at-once", answered, 160);
    report.equal(
        "serve/exit-code-interrupt",
        server.ends(Signal::SIGINT)?,
        Some(0),
    );
    Ok(())
}
