// SPDX-License-Identifier: GPL-2.0
//! Turns whose next position has no block for its keys and values: a kernel thread takes more, in
//! the name of who began the turn.
//!
//! Their steps are not held up by it, nor are those of others by memory that is hard to get.

use crate::{
    batch::Job,
    link::Link,
    queue::Queue,
    scheduler::Scheduler,
    shared::Shared,
    sys::{
        task,
        thread::{should_stop, Body, Thread},
        wait::{WaitQueue, FOREVER}, //
    },
    turn::Turn,
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc, //
    },
};

/// Its nice value: that of the workers.
const NICE: isize = 10;

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
}

impl Scheduler {
    /// Takes blocks for turns until `done`, which must not sleep.
    fn grow(&self, done: impl Fn() -> bool) {
        let growth = &self.growth;
        while !done() {
            task::freeze_if_asked();
            let Some(mut job) = growth.queue.take(|_| Some(())) else {
                let ready = || done() || !growth.queue.is_empty();
                growth.work.wait_exclusive(FOREVER, ready);
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
            growth.turns.fetch_sub(1, Full);
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
