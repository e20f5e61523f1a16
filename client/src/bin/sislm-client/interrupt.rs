// SPDX-License-Identifier: GPL-2.0
//! Ctrl-C ends the turn; a second one the program.

use std::{process, thread};

use anyhow::Context;
use nix::sys::signal::{SigSet, Signal};
use sislm::Canceller;

use crate::exit_codes::ExitCode;

/// From here on a thread waits for SIGINT, so that no call of the others is interrupted: the first
/// one cancels the turn, whose text then ends; the second one ends the program.
pub fn cancel_on_interrupt(canceller: Canceller) -> anyhow::Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.thread_block().context("cannot block SIGINT")?;
    thread::spawn(move || {
        for number in 0.. {
            if signals.wait().is_err() {
                return;
            }
            // A turn that cannot be cancelled ends with its descriptor.
            if number > 0 || canceller.cancel().is_err() {
                process::exit(ExitCode::Cancelled as i32);
            }
        }
    });
    Ok(())
}
