// SPDX-License-Identifier: MIT OR Apache-2.0
//! The watchdog of systemd, which is told as long as the device computes.

use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use sd_notify::NotifyState;
use sislm::{Error, Model, SessionConfig};
use tokio::task::spawn_blocking;
use tokio::time::interval;

use super::engine::Engine;

/// Least time between two tokens.
const LEAST: Duration = Duration::from_millis(100);
/// Positions of the context that a token is computed in.
const POSITIONS: u32 = 32;

/// Computes a token twice in the time that the watchdog gives, and tells it; ends at once where there is none.
pub(super) async fn run(engine: Arc<Engine>) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = interval((limit / 2).max(LEAST));
    loop {
        ticks.tick().await;
        let engine = engine.clone();
        if matches!(spawn_blocking(move || computes(&engine)).await, Ok(true)) {
            // It is gone where this fails, and so is who would be told.
            let _ = sd_notify::notify(&[NotifyState::Watchdog]);
        }
    }
}

/// Whether the device computes a token; without a model, whether it answers. That a limit is met is an answer.
fn computes(engine: &Engine) -> bool {
    let computed = match engine.device.models() {
        Ok(models) => models.first().map_or(Ok(()), |model| token(engine, model)),
        Err(error) => Err(error),
    };
    !matches!(
        computed.map_err(|error| error.errno()),
        Err(Errno::EIO | Errno::ENODEV | Errno::ENXIO)
    )
}

/// Computes one of `model`.
fn token(engine: &Engine, model: &Model) -> Result<(), Error> {
    let config = SessionConfig {
        model: model.full_name().parse().ok(),
        context: model.context.min(POSITIONS),
        ..SessionConfig::default()
    };
    let mut session = engine.device.session(&config)?;
    session.evaluate(&[model.bos_id().unwrap_or(0)], 0)?;
    Ok(())
}
