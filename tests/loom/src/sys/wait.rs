// SPDX-License-Identifier: GPL-2.0
//! Wait queues: who waits is in the queue before it looks, and who wakes has changed something before.

use kernel::prelude::*;
use loom::sync::{Condvar, Mutex};

/// A queue of waiting tasks.
pub(crate) struct WaitQueue {
    lock: Mutex<()>,
    woken: Condvar,
}

impl WaitQueue {
    /// An empty queue.
    pub(crate) fn new() -> impl PinInit<Self> {
        Self {
            lock: Mutex::new(()),
            woken: Condvar::new(),
        }
    }

    /// Wakes all waiters.
    pub(crate) fn wake_all(&self) {
        let _waiters = self.lock.lock().expect("no task panics with a lock");
        self.woken.notify_all();
    }

    /// Waits until `ready`.
    pub(crate) fn wait(&self, ready: impl Fn() -> bool) {
        let mut waiters = self.lock.lock().expect("no task panics with a lock");
        while !ready() {
            waiters = self
                .woken
                .wait(waiters)
                .expect("no task panics with a lock");
        }
    }
}
