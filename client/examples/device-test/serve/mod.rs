// SPDX-License-Identifier: MIT OR Apache-2.0
//! `sislm-client serve`: answers, errors, clients that go away, its end.

mod answers;
pub(crate) mod auto;
mod clients;
pub(crate) mod crowd;
mod ends;
mod guided;
mod logprobs;
pub(crate) mod lora;
mod refusals;
mod several;
mod systemd;
pub(crate) mod templates;
mod tools;

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use serde_json::{json, Value};
use sislm::Device;

use crate::http::{self, connect};
use crate::report::{Failure, Report};

/// Time for anything that is to happen.
const LIMIT: Duration = Duration::from_secs(120);
/// Where most servers of the tests listen.
const SOCKET: &str = "/tmp/serve.socket";

/// Asks servers on `model`, on `slow`, whose answers take long, on an encoder, and on one whose template has tools.
pub(crate) fn run(
    report: &mut Report,
    model: &str,
    slow: &str,
    encoder: &str,
    tools: &str,
) -> Result<(), Failure> {
    let server = Server::start(&["--turns", "4"])?;
    answers::run(report, model)?;
    logprobs::run(report, model)?;
    guided::run(report, model)?;
    tools::run(report, tools, slow)?;
    answers::embeds(report, encoder, model)?;
    refusals::run(report, model)?;
    ends::hang_ups(report, model, slow)?;
    report.equal("serve/exit-code", server.ends(Signal::SIGTERM)?, Some(0));
    several::run(report, model, slow)?;
    ends::run(report, model, slow)?;
    systemd::run(report)?;
    refusals::keys(report)?;
    Ok(())
}

/// A server.
struct Server(Child);

impl Server {
    /// At the socket of the tests.
    fn start(arguments: &[&str]) -> Result<Self, Failure> {
        let listen = format!("unix:{SOCKET}");
        let server = Self::command(&[&["--listen", &listen], arguments].concat())?;
        server.waits_at(SOCKET)
    }

    fn command(arguments: &[&str]) -> Result<Self, Failure> {
        let child = Command::new("sislm-client")
            .arg("serve")
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self(child))
    }

    /// Once it answers at `place`.
    fn waits_at(self, place: &str) -> Result<Self, Failure> {
        waits_for("an answer", || Ok(connect(place).is_ok()))?;
        Ok(self)
    }

    /// Sends a signal; its exit code.
    fn ends(mut self, signal: Signal) -> Result<Option<i32>, Failure> {
        self.signal(signal)?;
        Ok(self.0.wait()?.code())
    }

    /// The exit code of one that ends by itself.
    fn ended(mut self) -> Result<Option<i32>, Failure> {
        Ok(self.0.wait()?.code())
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let process = i32::try_from(self.0.id())?;
        Ok(kill(Pid::from_raw(process), signal)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until `is` holds.
fn waits_for(what: &str, mut is: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let end = Instant::now() + LIMIT;
    while !is()? {
        if Instant::now() > end {
            return Err(format!("waited for {what}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Turns that were cancelled after `before` of them, once at least `least` are: a turn is counted when its thread comes to its end.
fn cancelled(device: &Device, before: u64, least: u64) -> Result<u64, Failure> {
    let cancelled = || Ok::<_, Failure>(device.statistics()?.cancelled - before);
    waits_for("turns to be counted", || Ok(cancelled()? >= least))?;
    cancelled()
}

/// The object that a request is answered with.
fn asked(path: &str, object: &Value) -> Result<Value, Failure> {
    http::post(SOCKET, path, object)?.object()
}

/// A request for a chat of one message.
fn chat(model: &str, message: &str, more: &Value) -> Value {
    let mut object = json!({
        "model": model,
        "messages": [{ "role": "user", "content": message }],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
    object
}
