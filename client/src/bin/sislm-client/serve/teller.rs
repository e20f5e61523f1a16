// SPDX-License-Identifier: MIT OR Apache-2.0
//! What tells the client of a job.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use sislm::Model;
use tokio::sync::mpsc::Sender;

use super::engine::Engine;
use super::job::Event;

/// Nobody listens any more.
#[derive(Debug)]
pub(super) struct Unheard;

/// Tells what happens to a job, from any thread.
pub(super) struct Teller<'a> {
    engine: &'a Engine,
    events: &'a Sender<Event>,
    start: Instant,
    begun: Mutex<bool>,
}

impl<'a> Teller<'a> {
    /// Of a job that begins now.
    pub(super) fn new(engine: &'a Engine, events: &'a Sender<Event>) -> Self {
        Self {
            engine,
            events,
            start: Instant::now(),
            begun: Mutex::new(false),
        }
    }

    /// Tells `event` of an answer of `model`, which the request names `asked`; before the first one, that there is an answer.
    pub(super) fn tell(&self, (model, asked): (&Model, &str), event: Event) -> Result<(), Unheard> {
        self.begin(model, asked)?;
        self.send(event)
    }

    fn begin(&self, model: &Model, asked: &str) -> Result<(), Unheard> {
        // Locked until it is told: nothing of another answer comes before.
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if *begun {
            return Ok(());
        }
        *begun = true;
        self.engine
            .metrics
            .observe_first_token(self.start.elapsed());
        self.send(Event::Begun {
            model: asked.to_owned(),
            fingerprint: self.engine.fingerprint(model),
        })
    }

    /// Waits until the client takes it. The turn waits too, once the device has no room for its text.
    fn send(&self, event: Event) -> Result<(), Unheard> {
        self.events.blocking_send(event).map_err(|_| Unheard)
    }
}
