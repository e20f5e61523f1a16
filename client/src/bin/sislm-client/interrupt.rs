// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ctrl-C ends the turn; a second one the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;
use std::{process, thread};

use anyhow::Context;
use nix::sys::signal::{SigSet, Signal};
use sislm::Canceller;

use crate::exit_codes::ExitCode;

/// Time between two attempts to cancel: the first may come before the turn does.
const AGAIN: Duration = Duration::from_millis(20);

/// SIGINT, waited for by a thread of its own, so that no call of the others is interrupted.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt {
    came: Arc<AtomicBool>,
}

impl Interrupt {
    /// From here on the first SIGINT cancels the turn, whose text then ends, and every later turn;
    /// the second one ends the program.
    pub(crate) fn of(canceller: Canceller) -> anyhow::Result<Self> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.thread_block().context("cannot block SIGINT")?;
        let interrupt = Self {
            came: Arc::default(),
        };
        let came = interrupt.came.clone();
        thread::spawn(move || {
            if signals.wait().is_ok() {
                came.store(true, Ordering::Relaxed);
                thread::spawn(move || keep_cancelling(&canceller));
                // Again, or no way to wait for it.
                let _ = signals.wait();
                process::exit(ExitCode::Cancelled as i32);
            }
        });
        Ok(interrupt)
    }

    /// Whether a SIGINT came.
    pub(crate) fn is_set(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }
}

/// Cancels turns until the program ends; one that cannot be cancelled ends with its descriptor.
fn keep_cancelling(canceller: &Canceller) {
    while canceller.cancel().is_ok() {
        thread::sleep(AGAIN);
    }
    process::exit(ExitCode::Cancelled as i32);
}
