// SPDX-License-Identifier: MIT OR Apache-2.0
//! A job under way.

use std::sync::Arc;

use tokio::sync::mpsc::{channel, Receiver};
use tokio::task::spawn_blocking;

use super::engine::Engine;
use super::error::ApiError;
use super::hangup::{Hangup, Line};
use super::job::{Event, Job};
use super::work;

/// Events that wait for a client before its turn does.
const EVENTS: usize = 16;

/// A job under way. Dropped, it is cancelled.
pub(super) struct Answer {
    /// What happens.
    pub events: Receiver<Event>,
    _line: Line,
}

impl Answer {
    /// Begins `job` as soon as a turn is free.
    pub(super) fn begin(engine: &Arc<Engine>, job: Job) -> Result<Self, ApiError> {
        engine.admit()?;
        let (sender, events) = channel(EVENTS);
        let hangup = Arc::new(Hangup::default());
        engine.note(&hangup);
        let (turn, line) = (engine.clone().turn(), Line(hangup.clone()));
        let engine = engine.clone();
        tokio::spawn(async move {
            let running = tokio::select! {
                running = turn => running,
                // The client did not wait.
                () = sender.closed() => None,
            };
            match running {
                Some(running) => {
                    spawn_blocking(move || work::run(&running, job, &sender, &hangup));
                }
                None => engine.metrics.count_hang_up(),
            }
        });
        Ok(Self {
            events,
            _line: line,
        })
    }
}
