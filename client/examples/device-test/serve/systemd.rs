// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server as systemd starts it: its socket is open, and it tells how it is.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use sislm::Device;

use super::{Server, LIMIT};
use crate::http::get;
use crate::report::{Failure, Report};

const SOCKET: &str = "/tmp/serve.systemd";
const NOTIFY: &str = "/tmp/serve.notify";
/// What systemd does between fork and exec: the socket is descriptor 3, and the process is named by its number.
const START: &str =
    "exec 3<&0 </dev/null; export LISTEN_PID=$$ WATCHDOG_PID=$$; exec sislm-client serve";

/// Starts one, and reads what it tells until its end.
pub(super) fn run(report: &mut Report) -> Result<(), Failure> {
    for path in [SOCKET, NOTIFY] {
        let _ = fs::remove_file(path);
    }
    let (socket, told) = (UnixListener::bind(SOCKET)?, UnixDatagram::bind(NOTIFY)?);
    told.set_read_timeout(Some(LIMIT))?;
    let child = Command::new("sh")
        .args(["-c", START])
        .env("LISTEN_FDS", "1")
        .env("NOTIFY_SOCKET", NOTIFY)
        .env("WATCHDOG_USEC", "1000000")
        .stdin(OwnedFd::from(socket))
        .stderr(Stdio::null())
        .spawn()?;
    let server = Server(child);
    report.equal("serve/systemd-ready", next(&told, "READY=1")?, true);
    report.equal("serve/systemd-socket", get(SOCKET, "/health")?.status, 200);
    let device = Device::open(Device::PATH)?;
    report.equal("serve/systemd-watchdog", next(&told, "WATCHDOG=1")?, true);
    // What it was told before, and nobody has read yet, says nothing of what is computed from now on.
    told.set_nonblocking(true)?;
    while told.recv(&mut [0; 256]).is_ok() {}
    told.set_nonblocking(false)?;
    // Nobody asks: what is computed is for the watchdog.
    let before = device.statistics()?.positions_computed;
    let again = next(&told, "WATCHDOG=1")? && next(&told, "WATCHDOG=1")?;
    let computed = device.statistics()?.positions_computed > before;
    report.equal("serve/systemd-computes", (again, computed), (true, true));
    server.signal(Signal::SIGTERM)?;
    report.equal("serve/systemd-stopping", next(&told, "STOPPING=1")?, true);
    report.equal("serve/systemd-exit-code", server.ended()?, Some(0));
    report.equal("serve/systemd-keeps-its-socket", fs::exists(SOCKET)?, true);
    fs::remove_file(SOCKET)?;
    Ok(fs::remove_file(NOTIFY)?)
}

/// Whether `wanted` is told, after whatever the watchdog is told.
fn next(told: &UnixDatagram, wanted: &str) -> Result<bool, Failure> {
    let mut buffer = [0; 256];
    loop {
        let length = told.recv(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..length]).trim().to_owned();
        if text == wanted || text != "WATCHDOG=1" {
            return Ok(text == wanted);
        }
    }
}
