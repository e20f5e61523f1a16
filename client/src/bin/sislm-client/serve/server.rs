// SPDX-License-Identifier: MIT OR Apache-2.0
//! The life of the server: sockets, readiness, the end.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, Context};
use sd_notify::NotifyState;
use sislm::{Device, SessionConfig};
use tokio::runtime::Builder;
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;
use tokio::time::interval;

use super::access::Access;
use super::connections;
use super::engine::{Engine, Limits};
use super::identity::now;
use super::keys::Keys;
use super::listen::Listener;
use super::router::router;
use super::watchdog;
use crate::cli::{Cli, Serve};

/// Time between two looks at what is idle.
const TIDY: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(cli: &Cli, arguments: &Serve) -> anyhow::Result<()> {
    let device = Device::open(&cli.device)?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(arguments.turns + 16)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    let result = runtime.block_on(serve(device, arguments));
    // A turn that cannot be cancelled ends with its file.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve(device: Device, arguments: &Serve) -> anyhow::Result<()> {
    let keys = arguments.keys.as_deref().map(Keys::read).transpose()?;
    let listeners = Listener::open_all(&arguments.listen)?;
    if keys.is_none() && listeners.iter().any(Listener::is_public) {
        bail!(
            "others than this machine could use the server: let it ask for API keys (--keys FILE; sislm-client key makes \
             one), or let it listen at 127.0.0.1 or at unix:PATH"
        );
    }
    let limits = Limits {
        turns: arguments.turns,
        queue: arguments.queue,
        idle: Duration::from_secs(arguments.idle),
    };
    let engine = Arc::new(Engine::new(device, defaults(arguments), limits, now())?);
    let access = Access {
        keys,
        hosts: arguments.host.clone(),
    };
    let names: Vec<String> = listeners.iter().map(Listener::name).collect();
    writeln!(io::stderr(), "listening at {}", names.join(", "))?;
    let (stopper, stop) = watch::channel(false);
    tokio::spawn(tidy(engine.clone()));
    tokio::spawn(watchdog::run(engine.clone()));
    tokio::spawn(end(engine.clone(), stopper)?);
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[NotifyState::Ready]);
    let cancel = {
        let engine = engine.clone();
        move || engine.cancel_all()
    };
    let grace = Duration::from_secs(arguments.grace);
    connections::serve(listeners, router(engine, access), stop, grace, cancel).await;
    Ok(())
}

/// What a request gets that does not say otherwise.
fn defaults(arguments: &Serve) -> SessionConfig {
    SessionConfig {
        context: arguments.context.positions.unwrap_or(0),
        kv: arguments.context.kv,
        sampling: arguments.sampling.config(),
        samplers: arguments.sampling.samplers(),
        ..Default::default()
    }
}

/// Closes sessions that are idle for long.
async fn tidy(engine: Arc<Engine>) {
    let mut ticks = interval(TIDY);
    loop {
        ticks.tick().await;
        engine.expire();
    }
}

/// Stops the server at SIGTERM or SIGINT.
fn end(
    engine: Arc<Engine>,
    stopper: watch::Sender<bool>,
) -> io::Result<impl std::future::Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        engine.drain();
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        stopper.send_replace(true);
        // A second signal does not wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    })
}
