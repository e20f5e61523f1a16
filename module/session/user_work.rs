// SPDX-License-Identifier: GPL-2.0
//! What is done in a user's name by a kernel worker: blocks for turns whose next position has none,
//! the end of turns whose file is closed, and starts of turns for pollers.

use crate::{
    sched::{scheduler::Scheduler, Job},
    session::{starter::Starter, Session},
    shared::Shared,
    sys::{task, uapi::SISLM_FINISH_CANCELLED},
    users::{UserQueue, UserWork}, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Its nice value: that of the workers.
const NICE: c_int = 10;

/// What the work needs.
struct Work {
    scheduler: Arc<Scheduler>,
    starter: Arc<Starter<Session>>,
}

impl UserWork for Work {
    fn run(&self, user: u64) {
        task::at_nice(NICE, || loop {
            if let Some(job) = self.scheduler.growth.take(user) {
                self.scheduler.grow(job);
            } else if !self.starter.start(user) {
                break;
            }
        });
    }
}

impl Scheduler {
    /// Takes blocks for a turn, or ends it; then it goes on its way.
    fn grow(&self, mut job: Job) {
        let model = job.turn.model.clone();
        if job.link.is_closed() {
            // What it has may take long to free.
            job.turn.end(SISLM_FINISH_CANCELLED);
            drop(job);
        } else if job.link.is_cancelled() {
            self.cancel(job);
        } else if let Err(error) = job.turn.sequence.grow(&model) {
            self.fail(job, error);
        } else {
            self.enqueue(&job.link, job.turn);
        }
        self.growth.finish();
        // A carrier that is to end waits for this.
        self.put_down.wake(1);
    }
}

/// Begins to do it.
pub(crate) fn begin(shared: &Shared, starter: &Arc<Starter<Session>>) -> Result {
    let work = Work {
        scheduler: shared.scheduler.clone(),
        starter: starter.clone(),
    };
    shared.users.queue().begin(KBox::new(work, GFP_KERNEL)?);
    Ok(())
}

/// What was queued while this lived has been done when it is dropped.
pub(crate) struct Running {
    queue: Arc<UserQueue>,
}

impl Running {
    /// From here on.
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            queue: shared.users.queue().clone(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.queue.flush();
    }
}
