// SPDX-License-Identifier: GPL-2.0
//! The kernel thread that takes blocks for turns whose next position has none, in the name of who
//! began them.

use crate::{
    scheduler::Scheduler,
    shared::Shared,
    sys::{
        task,
        thread::{should_stop, Body, Thread}, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Its nice value: that of the workers.
const NICE: isize = 10;

impl Scheduler {
    /// Takes blocks for turns until `done`, which must not sleep.
    fn grow(&self, done: impl Fn() -> bool) {
        let growth = &self.growth;
        while !done() {
            task::freeze_if_asked();
            let Some(mut job) = growth.take(&done) else {
                continue;
            };
            let model = job.turn.model.clone();
            if job.link.is_cancelled() {
                self.cancel(job);
            } else if let Err(error) = job.turn.sequence.grow(&model) {
                self.fail(job, error);
            } else {
                self.enqueue(&job.link, job.turn);
            }
            growth.finish();
            // A carrier that is to end waits for this.
            self.put_down.wake(1);
        }
    }
}

/// What the thread needs.
struct Grower {
    scheduler: Arc<Scheduler>,
}

impl Body for Grower {
    fn run(&self) {
        let done = || should_stop() && !self.scheduler.is_busy();
        self.scheduler.grow(done);
    }
}

/// The thread; stopped and joined when dropped.
pub(crate) struct GrowerThread {
    _thread: Thread<Grower>,
}

impl GrowerThread {
    /// Starts it.
    pub(crate) fn start(shared: &Shared) -> Result<Self> {
        let scheduler = shared.scheduler.clone();
        let grower = Arc::new(Grower { scheduler }, GFP_KERNEL)?;
        Ok(Self {
            _thread: Thread::spawn(grower, c"sislm/memory", 0, NICE)?,
        })
    }
}
