// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a request, and of the server: nothing is left in the kernel.

use std::os::unix::net::UnixStream;
use std::thread;

use nix::sys::signal::Signal;
use serde_json::{json, Value};
use sislm::Device;

use super::{cancelled, chat, waits_for, Server, SOCKET};
use crate::http::{events, get, post, Response};
use crate::report::{Failure, Report};

const CHAT: &str = "/v1/chat/completions";
/// Clients that hang up.
const HANG_UPS: u64 = 8;

/// A stream that does not end by itself, of which the first text has come.
fn endless(slow: &str) -> Result<Response, Failure> {
    let more = json!({ "stream": true, "logit_bias": { "2": -100 } });
    let mut response = post(SOCKET, CHAT, &chat(slow, "one", &more))?;
    while !response
        .chunk()?
        .ok_or("it ended")?
        .contains("\"content\":")
    {}
    Ok(response)
}

/// Whether nothing is being computed for the server.
fn is_at_rest() -> Result<bool, Failure> {
    let load: Value = get(SOCKET, "/get_load")?.object()?;
    Ok(load["load"] == json!(0))
}

/// Clients that go away, waiting or being answered: their turns end, the others' do not.
pub(super) fn hang_ups(report: &mut Report, model: &str, slow: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let before = device.statistics()?.cancelled;
    let threads: Vec<_> = (0..HANG_UPS)
        .map(|_| {
            let slow = slow.to_owned();
            thread::spawn(move || endless(&slow).map(drop).map_err(|error| error.to_string()))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread failed")??;
    }
    waits_for("turns to end", is_at_rest)?;
    let cancelled = cancelled(&device, before, HANG_UPS)?;
    report.equal("serve/hang-ups-cancel", cancelled, HANG_UPS);
    let metrics = get(SOCKET, "/metrics")?.text()?;
    let counted = format!("sislm_hang_ups_total {HANG_UPS}");
    report.equal("serve/hang-ups-counted", metrics.contains(&counted), true);
    let object = post(
        SOCKET,
        CHAT,
        &chat(model, "one", &json!({ "max_tokens": 2 })),
    )?
    .object()?;
    report.equal(
        "serve/answers-after-hang-ups",
        object["choices"].is_array(),
        true,
    );
    Ok(())
}

/// SIGTERM in the middle of answers, within the grace and over it; SIGKILL.
pub(super) fn run(report: &mut Report, model: &str, slow: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let server = Server::start(&["--grace", "100"])?;
    let more = json!({ "stream": true, "logit_bias": { "2": -100 }, "max_tokens": 100 });
    let mut response = post(SOCKET, CHAT, &chat(slow, "one", &more))?;
    let first = response.chunk()?.ok_or("it ended")?;
    server.signal(Signal::SIGTERM)?;
    waits_for("the socket to be closed", || {
        Ok(UnixStream::connect(SOCKET).is_err())
    })?;
    let (objects, done) = events(&(first + &response.text()?))?;
    let last = objects.last().ok_or("no events")?;
    report.equal(
        "serve/drained",
        (done, &last["choices"][0]["finish_reason"]),
        (true, &json!("length")),
    );
    report.equal("serve/drained-exit-code", server.ended()?, Some(0));

    let server = Server::start(&["--grace", "1"])?;
    let response = endless(slow)?;
    server.signal(Signal::SIGTERM)?;
    let (objects, _) = events(&response.text()?)?;
    let last = objects.last().ok_or("no events")?;
    report.equal(
        "serve/cut-off",
        &last["error"]["code"],
        &json!("shutting_down"),
    );
    report.equal("serve/cut-off-exit-code", server.ended()?, Some(0));

    let server = Server::start(&[])?;
    let idle = post(
        SOCKET,
        CHAT,
        &chat(model, "one", &json!({ "max_tokens": 2 })),
    )?
    .object()?;
    report.equal("serve/before-the-kill", idle["choices"].is_array(), true);
    let response = endless(slow)?;
    server.ends(Signal::SIGKILL)?;
    drop(response);
    waits_for("sessions to be freed", || {
        let (query, all) = (device.query()?, device.statistics()?);
        Ok(query.sessions == 1 && all.kv_blocks == 0)
    })?;
    report.equal("serve/killed-leaves-nothing", true, true);
    Ok(())
}
