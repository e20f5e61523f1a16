// SPDX-License-Identifier: GPL-2.0
//! A queue of turns in the order they came.

use crate::{
    sched::batch::Job,
    turn::{link::Link, Turn}, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::SpinLock, //
};

/// Turns in the order they came.
#[pin_data]
pub(crate) struct Queue {
    #[pin]
    jobs: SpinLock<KVec<Job>>,
}

impl Queue {
    /// With room for `most` turns.
    pub(crate) fn new(most: usize) -> Result<impl PinInit<Self>> {
        let jobs = KVec::with_capacity(most, GFP_KERNEL)?;
        Ok(pin_init!(Self {
            jobs <- new_spinlock!(jobs, "sislm_queue"),
        }))
    }

    /// Puts a turn at the end.
    pub(crate) fn push(&self, job: Job) {
        let rejected = { self.jobs.lock().push_within_capacity(job) };
        // Not reached: there is room for a turn of each session.
        drop(rejected);
    }

    /// Takes the first turn that is `wanted`.
    pub(crate) fn take(&self, wanted: impl FnMut(&Job) -> bool) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        let place = jobs.iter().position(wanted)?;
        jobs.remove(place).ok()
    }

    /// Takes the turn of `link`, if it is there.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        let job = self.take(|job| core::ptr::eq(&*job.link, link))?;
        Some(job.turn)
    }
}
