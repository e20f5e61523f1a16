// SPDX-License-Identifier: GPL-2.0
//! Ctrl-C ends the turn; a second one the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::{process, thread};

use anyhow::Context;
use nix::sys::signal::{SigSet, Signal};
use sislm::{Canceller, Error};

use crate::exit_codes::ExitCode;

/// SIGINT, waited for by a thread of its own, so that no call of the others is interrupted.
#[derive(Clone, Debug)]
pub struct Interrupt {
    came: Arc<AtomicBool>,
    canceller: Arc<Canceller>,
}

impl Interrupt {
    /// From here on the first SIGINT cancels the turn, whose text then ends; the second one ends
    /// the program.
    pub fn of(canceller: Canceller) -> anyhow::Result<Self> {
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.thread_block().context("cannot block SIGINT")?;
        let interrupt = Self {
            came: Arc::default(),
            canceller: Arc::new(canceller),
        };
        let waiting = interrupt.clone();
        thread::spawn(move || {
            while signals.wait().is_ok() {
                let again = waiting.came.swap(true, Ordering::Relaxed);
                // A turn that cannot be cancelled ends with its descriptor.
                if again || waiting.cancel().is_err() {
                    process::exit(ExitCode::Cancelled as i32);
                }
            }
        });
        Ok(interrupt)
    }

    /// Whether a SIGINT came.
    pub fn is_set(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }

    /// Cancels the turn.
    pub fn cancel(&self) -> Result<(), Error> {
        self.canceller.cancel()
    }
}
