// SPDX-License-Identifier: GPL-2.0
//! The worker threads.

use crate::{
    sched::scheduler::{Scheduler, Slot},
    sys::thread::{should_stop, Body, Thread}, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{Arc, SpinLock}, //
};

/// Workers yield to what people wait for.
const NICE: isize = 10;

/// What one worker needs.
#[pin_data]
struct Worker {
    scheduler: Arc<Scheduler>,
    #[pin]
    place: SpinLock<Option<Slot>>,
}

impl Body for Worker {
    fn run(&self) {
        let slot = self.place.lock().take();
        if let Some(mut slot) = slot {
            // Turns of closed files are left to the workers: they go before the workers do.
            self.scheduler
                .serve(&mut slot, || should_stop() && !self.scheduler.is_busy());
        }
    }
}

/// All workers; stopped and joined when dropped.
pub(crate) struct Workers {
    _threads: KVec<Thread<Worker>>,
}

impl Workers {
    /// Starts `count` of them.
    pub(crate) fn start(scheduler: &Arc<Scheduler>, count: u32) -> Result<Self> {
        let mut threads = KVec::with_capacity(count as usize, GFP_KERNEL)?;
        for index in 0..count {
            let place = Slot::new(index)?;
            let worker = Arc::pin_init(
                pin_init!(Worker {
                    scheduler: scheduler.clone(),
                    place <- new_spinlock!(Some(place), "sislm_worker"),
                }),
                GFP_KERNEL,
            )?;
            threads.push(Thread::spawn(worker, c"sislm/%u", index, NICE)?, GFP_KERNEL)?;
        }
        Ok(Self { _threads: threads })
    }
}
