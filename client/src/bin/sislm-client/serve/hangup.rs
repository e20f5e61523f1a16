// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a request that nobody waits for any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sislm::Canceller;

/// Whether a request is over before its answer is, and what ends its turn.
#[derive(Debug, Default)]
pub(super) struct Hangup {
    came: AtomicBool,
    turn: Mutex<Option<Canceller>>,
}

impl Hangup {
    /// From here on a hang-up ends the turn of this canceller. The turn begins after that, and [`Hangup::came`] is asked
    /// once it has: what came before ended nothing.
    pub(super) fn arm(&self, canceller: Canceller) {
        *self.lock() = Some(canceller);
    }

    /// Whether it came.
    pub(super) fn came(&self) -> bool {
        self.came.load(Ordering::SeqCst)
    }

    /// From here on a hang-up ends nothing: another request may use the session.
    pub(super) fn disarm(&self) {
        *self.lock() = None;
    }

    /// Ends the turn. Waits for the step in flight.
    pub(super) fn hang_up(&self) {
        self.came.store(true, Ordering::SeqCst);
        // Locked until it is cancelled: after a disarm it would be the turn of another request.
        if let Some(turn) = self.lock().as_ref() {
            // One that cannot be cancelled ends with its file.
            let _ = turn.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Canceller>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hangs up when it is dropped, as a client's connection is.
#[derive(Debug)]
pub(super) struct Line(pub Arc<Hangup>);

impl Drop for Line {
    fn drop(&mut self) {
        let hangup = self.0.clone();
        hangup.came.store(true, Ordering::SeqCst);
        // At the end of the runtime there is none, and the files are closed.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn_blocking(move || hangup.hang_up());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_line_is_a_hang_up() {
        let hangup = Arc::new(Hangup::default());
        let line = Line(hangup.clone());
        assert!(!hangup.came());
        drop(line);
        assert!(hangup.came());
    }
}
