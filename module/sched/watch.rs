// SPDX-License-Identifier: GPL-2.0
//! The watch over the step in flight and the turns that wait for one: whether they go on.

use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock,
    time::{Instant, Monotonic}, //
};

/// What is to go on, by a number that changes when it does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing is to be done.
    Idle,
    /// A step, by its claims.
    Step(u64, u32),
    /// Turns that the carrier is to make a step of, by its rounds.
    Waiting(u64),
}

/// What was seen, and since when it is the same.
struct Seen {
    progress: Progress,
    since: Instant<Monotonic>,
}

/// The watch.
#[pin_data]
pub(crate) struct Watch {
    #[pin]
    seen: SpinLock<Seen>,
    /// Seconds.
    timeout: u32,
}

impl Watch {
    /// Of what may stand still for `timeout` seconds.
    pub(crate) fn new(timeout: u32) -> impl PinInit<Self> {
        pin_init!(Self {
            seen <- new_spinlock!(
                Seen {
                    progress: Progress::Idle,
                    since: Instant::now(),
                },
                "sislm_watch"
            ),
            timeout,
        })
    }

    /// Whether `progress` has not changed for too long.
    pub(crate) fn stands_still(&self, progress: Progress) -> bool {
        let mut seen = self.seen.lock();
        if progress == Progress::Idle || seen.progress != progress {
            seen.progress = progress;
            seen.since = Instant::now();
            return false;
        }
        let limit = i64::from(self.timeout).saturating_mul(1_000_000_000);
        seen.since.elapsed().as_nanos() > limit
    }

    /// Seconds that it waits.
    pub(crate) fn timeout(&self) -> u32 {
        self.timeout
    }
}
