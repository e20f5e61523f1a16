// SPDX-License-Identifier: MIT OR Apache-2.0
//! `export`: sends what the module counts to a collector.

use std::io::{self, Write};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use nix::unistd::gethostname;
use sislm::Device;
use tokio::runtime::{Builder, Runtime};

use crate::cli::{Cli, Export};
use crate::counts::Counts;
use crate::exit_codes::ExitCode;
use crate::export::request;

/// Runs `export`: once, or until Ctrl-C.
pub(crate) fn run(cli: &Cli, arguments: &Export) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let Some(seconds) = arguments.interval else {
        send(&runtime, arguments, &Counts::take(&device)?)?;
        return Ok(ExitCode::Success);
    };
    loop {
        // A collector that is away is no reason to end: the next request tells all.
        if let Err(error) = send(&runtime, arguments, &Counts::take(&device)?) {
            let _ = writeln!(io::stderr(), "sislm-client: {error:#}");
        }
        sleep(Duration::from_secs(seconds));
    }
}

fn send(runtime: &Runtime, arguments: &Export, counts: &Counts) -> anyhow::Result<()> {
    let host = gethostname().context("cannot tell the name of this machine")?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let now = u64::try_from(now.as_nanos())?;
    let request = request(counts, &host.to_string_lossy(), now);
    runtime.block_on(arguments.otlp.send(&request))
}
