// SPDX-License-Identifier: MIT OR Apache-2.0
//! Requests for any model with a rank.

use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use serde_json::{json, Value};
use sislm::{Device, SessionConfig};

use super::{asked, chat, Server, LIMIT};
use crate::report::{Failure, Report};

/// Asks for `auto`, where `better` has the higher rank and `quick` takes less time.
pub(crate) fn run(report: &mut Report, better: &str, quick: &str) -> Result<(), Failure> {
    let server = Server::start(&[])?;
    let text = |more: Value| {
        let mut object = json!({ "model": "auto", "prompt": "one ten", "max_tokens": 2 });
        for (name, value) in more.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        object
    };
    let completions = "/v1/completions";
    let model = |path: &str, object: &Value| -> Result<Value, Failure> {
        Ok(asked(path, object)?["model"].clone())
    };
    let cases = [
        ("best", completions, text(json!({})), better),
        (
            "with-time",
            completions,
            text(json!({ "deadline_ms": 3_600_000 })),
            better,
        ),
        // Nothing is ready in a millisecond: the one that is ready first.
        (
            "without-time",
            completions,
            text(json!({ "deadline_ms": 1 })),
            quick,
        ),
        (
            "chat",
            "/v1/chat/completions",
            chat("auto", "one ten", &json!({ "max_tokens": 2 })),
            better,
        ),
    ];
    for (name, path, object, wanted) in cases {
        let found = model(path, &object)?;
        report.equal(&format!("serve-auto/{name}"), found, json!(wanted));
    }
    let code = server.ends(Signal::SIGTERM)?;
    report.equal("serve-auto/exit-code", code, Some(0));
    Ok(())
}

/// Asks for choices without a pause, until there are too many; a second later there are more.
pub(crate) fn rate(report: &mut Report) -> Result<(), Failure> {
    let mut session = Device::open(Device::PATH)?.blank_session()?;
    let mut choose = || session.choose(&SessionConfig::default(), 1).map(drop);
    let begin = Instant::now();
    let mut count = 0;
    let refused = loop {
        match choose() {
            Err(error) => break error.errno(),
            Ok(()) if begin.elapsed() > LIMIT => return Err("choices have no end".into()),
            Ok(()) => count += 1,
        }
    };
    report.equal("auto-rate/refused", refused, Errno::EDQUOT);
    report.equal("auto-rate/many-at-once", count >= 32, true);
    thread::sleep(Duration::from_secs(1));
    let more = choose().map_err(|error| error.errno());
    report.equal("auto-rate/a-second-later", more, Ok(()));
    Ok(())
}
