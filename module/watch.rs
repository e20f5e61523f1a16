// SPDX-License-Identifier: GPL-2.0
//! The watch over the step in flight: whether it goes on.

use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock,
    time::{Instant, Monotonic}, //
};

/// Progress that was seen: a number that changes with it, and since when it has not.
struct Seen {
    progress: (u64, u32),
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
    /// For steps that may stand still for `timeout` seconds.
    pub(crate) fn new(timeout: u32) -> impl PinInit<Self> {
        pin_init!(Self {
            seen <- new_spinlock!(
                Seen {
                    progress: (0, 0),
                    since: Instant::now(),
                },
                "sislm_watch"
            ),
            timeout,
        })
    }

    /// Whether `progress` has not changed for too long, no step being in flight when it is `idle`.
    pub(crate) fn stands_still(&self, progress: (u64, u32), idle: bool) -> bool {
        let mut seen = self.seen.lock();
        if idle || seen.progress != progress {
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
