// SPDX-License-Identifier: GPL-2.0
//! Threads that run the chunks of a step.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread::JoinHandle;

use sislm_engine::abi::DONE;

use super::sislm_engine_step_chunks;
use super::status::Fault;

/// A stage to be run; no step means that the team is dismissed.
#[derive(Clone, Copy)]
struct Job {
    step: *const u8,
    stage: u32,
    chunks: u32,
}

// SAFETY: The pointer is used only between the barriers of `Team::run`, which borrows the step.
unsafe impl Send for Job {}

struct Shared {
    /// Met before and after each stage.
    barrier: Barrier,
    job: Mutex<Job>,
    /// Next chunk to claim.
    next: AtomicU32,
    /// First status that was not `DONE`.
    status: AtomicI32,
}

impl Shared {
    fn job(&self) -> Job {
        *self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims chunks until none is left.
    fn work(&self, job: Job, slot: u32) {
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            if chunk >= job.chunks {
                return;
            }
            // SAFETY: The step lives until the barrier after the stage; each chunk is claimed once
            // and each slot belongs to one thread.
            let status = unsafe { sislm_engine_step_chunks(job.step, job.stage, slot, chunk, 1) };
            if status != DONE {
                let _ = self.status.compare_exchange(
                    DONE,
                    status,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                );
            }
        }
    }
}

/// The calling thread, slot 0, and its helpers.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

impl Team {
    /// A team of `threads`, at least one.
    pub fn new(threads: u32) -> Self {
        let shared = Arc::new(Shared {
            barrier: Barrier::new(threads.max(1) as usize),
            job: Mutex::new(Job {
                step: std::ptr::null(),
                stage: 0,
                chunks: 0,
            }),
            next: AtomicU32::new(0),
            status: AtomicI32::new(DONE),
        });
        let helpers = (1..threads)
            .map(|slot| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    loop {
                        shared.barrier.wait();
                        let job = shared.job();
                        if job.step.is_null() {
                            return;
                        }
                        shared.work(job, slot);
                        shared.barrier.wait();
                    }
                })
            })
            .collect();
        Self { shared, helpers }
    }

    /// Threads in it.
    // CAST: As many as were asked for by a number of 32 bits.
    #[expect(clippy::cast_possible_truncation)]
    pub fn threads(&self) -> u32 {
        self.helpers.len() as u32 + 1
    }

    /// Runs all chunks of one stage.
    ///
    /// # Safety
    ///
    /// `step` is prepared, has a slot for each thread, and all stages before this one are done.
    pub(super) unsafe fn run(
        &mut self,
        step: *const u8,
        stage: u32,
        chunks: u32,
    ) -> Result<(), Fault> {
        let job = Job {
            step,
            stage,
            chunks,
        };
        *self
            .shared
            .job
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = job;
        self.shared.next.store(0, Ordering::Relaxed);
        self.shared.status.store(DONE, Ordering::Relaxed);
        self.shared.barrier.wait();
        self.shared.work(job, 0);
        self.shared.barrier.wait();
        match self.shared.status.load(Ordering::Relaxed) {
            DONE => Ok(()),
            status => Err(Fault::new(status)),
        }
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        *self
            .shared
            .job
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Job {
            step: std::ptr::null(),
            stage: 0,
            chunks: 0,
        };
        self.shared.barrier.wait();
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }
}
