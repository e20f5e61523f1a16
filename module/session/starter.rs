// SPDX-License-Identifier: GPL-2.0
//! The turns that pollers and nonblocking readers ask the start of.
//!
//! They must not wait, and a start may: it tokenizes the prompt and takes the memory of the turn. So
//! a kernel worker does it, and who wrote the prompt pays for the memory.

use crate::users::User;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{Arc, SpinLock},
};

/// A session, as far as its starts go.
pub(crate) trait Startable: Send + Sync + 'static {
    /// Whose it is.
    fn user(&self) -> &Arc<User>;

    /// Starts its turn `number`.
    fn start(session: &Arc<Self>, number: u64);
}

/// A turn to start.
struct Start<T: Startable> {
    session: Arc<T>,
    number: u64,
}

/// The starts that wait.
#[pin_data]
pub(crate) struct Starter<T: Startable> {
    #[pin]
    queue: SpinLock<KVec<Start<T>>>,
}

impl<T: Startable> Starter<T> {
    /// Of a device of at most `sessions` open files.
    pub(crate) fn new(sessions: u32) -> Result<Arc<Self>> {
        let queue = KVec::with_capacity(sessions as usize, GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                queue <- new_spinlock!(queue, "sislm_starter"),
            }),
            GFP_KERNEL,
        )
    }

    /// Asks for the start of turn `number`.
    pub(crate) fn push(&self, session: Arc<T>, number: u64) {
        let user = session.user().clone();
        let rejected = self
            .queue
            .lock()
            .push_within_capacity(Start { session, number });
        // Not rejected: an open file has at most one start here, and a closed one none.
        drop(rejected);
        user.call();
    }

    /// Takes the start of `session` back. Whether it was there.
    pub(crate) fn withdraw(&self, session: &T) -> bool {
        self.take(|start| core::ptr::eq(&*start.session, session))
            .is_some()
    }

    /// Starts the first turn of a user, by number. Whether there was one.
    pub(crate) fn start(&self, user: u64) -> bool {
        let Some(start) = self.take(|start| start.session.user().number() == user) else {
            return false;
        };
        T::start(&start.session, start.number);
        true
    }

    /// Takes the first start that is `wanted`. It is dropped without the spinlock.
    fn take(&self, wanted: impl Fn(&Start<T>) -> bool) -> Option<Start<T>> {
        let mut queue = self.queue.lock();
        let place = queue.iter().position(wanted)?;
        queue.remove(place).ok()
    }
}
