// SPDX-License-Identifier: GPL-2.0
//! Turns whose next position has no block for its keys and values, while more are taken, and those
//! whose file is closed: no step is held up by memory that is hard to get or takes long to free.

use crate::{
    sched::{batch::Job, queue::Queue},
    turn::{link::Link, Turn}, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed}, //
    },
};

/// The turns that wait for blocks, or for their end.
#[pin_data]
pub(crate) struct Growth {
    #[pin]
    queue: Queue,
    /// Turns in the queue or out of it for their blocks.
    turns: Atomic<u32>,
}

impl Growth {
    /// With room for `most` turns.
    pub(crate) fn new(most: usize) -> Result<impl PinInit<Self>> {
        let queue = Queue::new(most)?;
        Ok(pin_init!(Self {
            queue <- queue,
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
        let user = job.link.user().clone();
        self.queue.push(job);
        user.call();
    }

    /// Takes the turn of `link` out, if it waits.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        let turn = self.queue.withdraw(link)?;
        self.turns.fetch_sub(1, Full);
        Some(turn)
    }

    /// Takes the first turn of a user, by number. [`Growth::finish`] ends its stay.
    pub(crate) fn take(&self, user: u64) -> Option<Job> {
        let own = |job: &Job| job.link.user().number() == user;
        self.queue.take(own)
    }

    /// Ends the stay of a turn that was taken.
    pub(crate) fn finish(&self) {
        self.turns.fetch_sub(1, Full);
    }
}
