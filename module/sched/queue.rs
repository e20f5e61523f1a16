// SPDX-License-Identifier: GPL-2.0
//! The queue of the turns that wait for a step.

use crate::{
    sched::batch::Job,
    turn::{link::Link, Turn}, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        SpinLock, //
    },
};

/// Turns in the order they came.
#[pin_data]
pub(crate) struct Queue {
    #[pin]
    jobs: SpinLock<KVec<Job>>,
    count: Atomic<u32>,
}

impl Queue {
    /// With room for `most` turns.
    pub(crate) fn new(most: usize) -> Result<impl PinInit<Self>> {
        let jobs = KVec::with_capacity(most, GFP_KERNEL)?;
        Ok(pin_init!(Self {
            jobs <- new_spinlock!(jobs, "sislm_queue"),
            count: Atomic::new(0),
        }))
    }

    /// Whether no turn waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// Puts a turn at the end.
    pub(crate) fn push(&self, job: Job) {
        let rejected = {
            let mut jobs = self.jobs.lock();
            let rejected = jobs.push_within_capacity(job);
            // CAST: At most a turn of each session, and those of closed files.
            self.count.store(jobs.len() as u32, Relaxed);
            rejected
        };
        // Not reached: there is room for a turn of each session.
        drop(rejected);
    }

    /// Whether `wanted` holds for a turn.
    pub(crate) fn any(&self, wanted: impl FnMut(&Job) -> bool) -> bool {
        !self.is_empty() && self.jobs.lock().iter().any(wanted)
    }

    /// Takes the first turn of the lowest rank; those without one stay.
    pub(crate) fn take<R: Ord>(&self, rank: impl Fn(&Job) -> Option<R>) -> Option<Job> {
        let mut jobs = self.jobs.lock();
        let ranks = jobs.iter().map(rank).enumerate();
        let (place, _) = ranks
            .filter_map(|(place, rank)| Some((place, rank?)))
            .min_by(|(_, one), (_, other)| one.cmp(other))?;
        let job = jobs.remove(place).ok();
        self.count.store(jobs.len() as u32, Relaxed);
        job
    }

    /// Takes the turn of `link`, if it is there.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        let job = self.take(|job| core::ptr::eq(&*job.link, link).then_some(()))?;
        Some(job.turn)
    }
}
