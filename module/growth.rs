// SPDX-License-Identifier: GPL-2.0
//! Turns whose next position has no block for its keys and values, while more are taken: no step is
//! held up by memory that is hard to get.

use crate::{
    batch::Job,
    link::Link,
    queue::Queue,
    sys::wait::{WaitQueue, FOREVER},
    turn::Turn,
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed}, //
    },
};

/// The turns that wait for blocks.
#[pin_data]
pub(crate) struct Growth {
    #[pin]
    queue: Queue,
    #[pin]
    work: WaitQueue,
    /// Turns in the queue or out of it for their blocks.
    turns: Atomic<u32>,
}

impl Growth {
    /// With room for `most` turns.
    pub(crate) fn new(most: usize) -> Result<impl PinInit<Self>> {
        let queue = Queue::new(most)?;
        Ok(pin_init!(Self {
            queue <- queue,
            work <- WaitQueue::new(),
            turns: Atomic::new(0),
        }))
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.turns.load(Relaxed) == 0
    }

    /// Puts a turn at the end.
    pub(crate) fn push(&self, job: Job) {
        self.turns.fetch_add(1, Full);
        self.queue.push(job);
        self.work.wake(1);
    }

    /// Takes the turn of `link` out, if it waits.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        let turn = self.queue.withdraw(link)?;
        self.turns.fetch_sub(1, Full);
        Some(turn)
    }

    /// Takes the first turn; waits for one until `done`, which must not sleep. [`Growth::finish`] ends
    /// its stay.
    pub(crate) fn take(&self, done: impl Fn() -> bool) -> Option<Job> {
        let job = self.queue.take(|_| Some(()));
        if job.is_none() {
            let ready = || done() || !self.queue.is_empty();
            self.work.wait_exclusive(FOREVER, ready);
        }
        job
    }

    /// Ends the stay of a turn that was taken.
    pub(crate) fn finish(&self) {
        self.turns.fetch_sub(1, Full);
    }
}
