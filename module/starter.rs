// SPDX-License-Identifier: GPL-2.0
//! Starts the turns that pollers and nonblocking readers ask for.
//!
//! They must not wait, and a start may: it tokenizes the prompt and takes the memory of the turn. So
//! a kernel thread does it, and who wrote the prompt pays for the memory.

use crate::sys::{
    thread::{should_stop, Body, Thread},
    wait::{WaitQueue, FOREVER},
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{Arc, SpinLock},
};

/// Its nice value: that of the workers.
const NICE: isize = 10;

/// A session, as far as its starts go.
pub(crate) trait Startable: Send + Sync + 'static {
    /// The number of the user whose it is.
    fn user(&self) -> u64;

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
    #[pin]
    work: WaitQueue,
}

impl<T: Startable> Starter<T> {
    /// Of a device of at most `sessions` open files.
    pub(crate) fn new(sessions: u32) -> Result<Arc<Self>> {
        let queue = KVec::with_capacity(sessions as usize, GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                queue <- new_spinlock!(queue, "sislm_starter"),
                work <- WaitQueue::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Asks for the start of turn `number`.
    pub(crate) fn push(&self, session: Arc<T>, number: u64) {
        let rejected = self
            .queue
            .lock()
            .push_within_capacity(Start { session, number });
        // Not rejected: an open file has at most one start here, and a closed one none.
        drop(rejected);
        self.work.wake(1);
    }

    /// Takes the start of `session` back. Whether it was there.
    pub(crate) fn withdraw(&self, session: &T) -> bool {
        self.take(|queue| {
            queue
                .iter()
                .position(|start| core::ptr::eq(&*start.session, session))
        })
        .is_some()
    }

    /// Takes the start that `choose` gives the place of. It is dropped without the spinlock.
    fn take(&self, choose: impl FnOnce(&[Start<T>]) -> Option<usize>) -> Option<Start<T>> {
        let mut queue = self.queue.lock();
        let place = choose(&queue)?;
        queue.remove(place).ok()
    }

    /// Starts turns until it is stopped. Users take turns, so that nobody's prompts hold up others.
    fn serve(&self) {
        let mut last = None;
        while !should_stop() {
            let of_another = |start: &Start<T>| Some(start.session.user()) != last;
            let next = self.take(|queue| {
                let place = queue.iter().position(of_another);
                place.or((!queue.is_empty()).then_some(0))
            });
            match next {
                Some(start) => {
                    last = Some(start.session.user());
                    T::start(&start.session, start.number);
                }
                None => {
                    let ready = || should_stop() || !self.queue.lock().is_empty();
                    self.work.wait_exclusive(FOREVER, ready);
                }
            }
        }
    }
}

impl<T: Startable> Body for Starter<T> {
    fn run(&self) {
        self.serve();
    }
}

/// The running thread; stopped when dropped.
pub(crate) struct Running<T: Startable> {
    _thread: Thread<Starter<T>>,
}

impl<T: Startable> Running<T> {
    /// Starts it.
    pub(crate) fn start(starter: &Arc<Starter<T>>) -> Result<Self> {
        Ok(Self {
            _thread: Thread::spawn(starter.clone(), c"sislm/start", 0, NICE)?,
        })
    }
}
