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
pub(crate) struct TurnInterrupt {
    turn: Arc<Mutex<Turn>>,
}

/// The turn at hand, or the last one.
#[derive(Debug, Default)]
struct Turn {
    number: u64,
    /// What cancels it; None when it is over.
    canceller: Option<Canceller>,
}

impl TurnInterrupt {
    /// SIGINT is waited for by a thread of its own from here on.
    pub(crate) fn start() -> anyhow::Result<Self> {
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
    pub(crate) fn during<T>(&self, canceller: Canceller, turn: impl FnOnce() -> T) -> T {
        {
            let mut turn = self.lock();
            turn.number += 1;
            turn.canceller = Some(canceller);
        }
        let result = turn();
        self.lock().canceller = None;
        result
    }

    /// Cancels until the turn is over.
    fn end_turn(&self) {
        let number = {
            let turn = self.lock();
            if turn.canceller.is_none() {
                process::exit(ExitCode::Cancelled as i32);
            }
            turn.number
        };
        while self.cancel(number) {
            thread::sleep(AGAIN);
        }
    }

    /// Cancels turn `number`, and no later one; whether it may have to be done again.
    fn cancel(&self, number: u64) -> bool {
        let turn = self.lock();
        let canceller = turn.canceller.as_ref();
        let canceller = canceller.filter(|_| turn.number == number);
        canceller.is_some_and(|canceller| canceller.cancel().is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
