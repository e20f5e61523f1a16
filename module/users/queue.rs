// SPDX-License-Identifier: GPL-2.0
//! The workqueue of what is done in users' names and may wait for their memory, or take long to free
//! it. A user's work is one item: one kernel worker does it, and nobody waits for that of others.

use crate::sys::workqueue::Workqueue;
use kernel::{
    prelude::*,
    sync::{Arc, SetOnce},
    workqueue::Queue, //
};

/// What is done.
pub(crate) trait UserWork: Send + Sync {
    /// Does all that waits of the user with this number.
    fn run(&self, user: u64);
}

/// The queue.
pub(crate) struct UserQueue {
    queue: Workqueue,
    work: SetOnce<KBox<dyn UserWork>>,
}

impl UserQueue {
    /// Of at most `users` users at a time.
    pub(crate) fn new(users: u32) -> Result<Arc<Self>> {
        let queue = Workqueue::new(users)?;
        let work = SetOnce::new();
        Ok(Arc::new(Self { queue, work }, GFP_KERNEL)?)
    }

    /// Says what the work is, once.
    pub(crate) fn begin(&self, work: KBox<dyn UserWork>) {
        self.work.populate(work);
    }

    /// Where users' items go.
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Does what waits of a user. What an item does.
    pub(crate) fn run(&self, user: u64) {
        if let Some(work) = self.work.as_ref() {
            work.run(user);
        }
    }

    /// Waits until the items that are queued have run.
    pub(crate) fn flush(&self) {
        self.queue.flush();
    }
}
