// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ctrl-C ends the answer that is being given, and not the program.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{process, thread};

use anyhow::Context;
use nix::sys::signal::{SigSet, Signal};
use sislm::Canceller;

use crate::exit_codes::ExitCode;

/// Time between two attempts to cancel: the first may come before the turn does.
const AGAIN: Duration = Duration::from_millis(20);

/// The turn that SIGINT ends. Where there is none it ends the program.
#[derive(Clone, Debug, Default)]
pub struct TurnInterrupt {
    turn: Arc<Mutex<Option<Canceller>>>,
}

impl TurnInterrupt {
    /// SIGINT is waited for by a thread of its own from here on.
    pub fn start() -> anyhow::Result<Self> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.thread_block().context("cannot block SIGINT")?;
        let interrupt = Self::default();
        let waiting = interrupt.clone();
        thread::spawn(move || {
            while signals.wait().is_ok() {
                waiting.end_turn();
            }
        });
        Ok(interrupt)
    }

    /// Runs a turn that SIGINT ends by `canceller`.
    pub fn during<T>(&self, canceller: Canceller, turn: impl FnOnce() -> T) -> T {
        *self.lock() = Some(canceller);
        let result = turn();
        *self.lock() = None;
        result
    }

    /// Cancels until the turn is over.
    fn end_turn(&self) {
        if self.lock().is_none() {
            process::exit(ExitCode::Cancelled as i32);
        }
        while self
            .lock()
            .as_ref()
            .is_some_and(|turn| turn.cancel().is_ok())
        {
            thread::sleep(AGAIN);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Canceller>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
