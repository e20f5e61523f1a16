// SPDX-License-Identifier: MIT OR Apache-2.0
//! The end of a request that nobody waits for any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sislm::Canceller;

/// Whether a request is over before its answers are, and what ends its turns.
#[derive(Debug, Default)]
pub(super) struct Hangup {
    came: AtomicBool,
    turns: Mutex<Vec<Arc<Canceller>>>,
}

/// A turn that a hang-up ends, as long as this lives.
pub(super) struct Armed<'a> {
    hangup: &'a Hangup,
    turn: Arc<Canceller>,
}

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        self.hangup
            .lock()
            .retain(|turn| !Arc::ptr_eq(turn, &self.turn));
    }
}

impl Hangup {
    /// From here on a hang-up ends the turn of this canceller, until what is returned is dropped: then another request may
    /// use the session. The turn begins after that, and [`Hangup::came`] is asked once it has: what came before ended
    /// nothing.
    pub(super) fn arm(&self, canceller: Canceller) -> Armed<'_> {
        let turn = Arc::new(canceller);
        self.lock().push(turn.clone());
        Armed { hangup: self, turn }
    }

    /// Whether it came.
    pub(super) fn came(&self) -> bool {
        self.came.load(Ordering::SeqCst)
    }

    /// Ends the turns. Waits for the steps in flight.
    pub(super) fn hang_up(&self) {
        self.came.store(true, Ordering::SeqCst);
        // Locked until they are cancelled: later they would be turns of another request.
        for turn in self.lock().iter() {
            // One that cannot be cancelled ends with its file.
            let _ = turn.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Canceller>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
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
