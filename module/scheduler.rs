// SPDX-License-Identifier: GPL-2.0
//! The scheduler: turns queue for steps, and whoever waits or works helps with the step in flight.
//!
//! One step is in flight at a time. The task that does a stage's last chunk gets the baton and goes
//! on: it starts the next stage, or takes the logits, puts the step's turns at the end of the queue
//! and starts a step of the first there and of those that can be computed with it, by turns of their
//! users. A turn whose reader is slow leaves the queue. There is no lock to hold over a step: the
//! baton guards what a step changes.
//!
//! A worker without a step to help with hashes and packs a model file that is being loaded.
//!
//! The spinlocks of the queue, of the offered piece and of the watch are the innermost locks.

use crate::{
    batch::{Batch, Job},
    limits::Limits,
    link::Link,
    offer::Offer,
    statistics::Statistics,
    sys::{
        claims::{Amount, Baton, Claims, Work},
        cpu,
        flight::LOGITS_MAX,
        neon::Section,
        piece::Piece,
        task,
        uapi::SISLM_FINISH_CANCELLED,
        wait::{WaitQueue, Woken},
    },
    turn::{Next, Turn},
    watch::Watch,
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, AtomicFlag, Full, Relaxed},
        Arc,
        SpinLock, //
    },
};

/// Seconds of a wait between two looks at whether the step in flight goes on.
const WATCH_SECONDS: u32 = 5;
/// Seconds that an idle worker sleeps.
const IDLE_SECONDS: u32 = 3600;
/// Weight bytes, times rows, of a stage that are worth waking a first helper for: waking takes as
/// long as reading about as many.
const FIRST_HELPER: u64 = 128 << 10;
/// The same for each further helper, which saves less.
const NEXT_HELPER: u64 = 1 << 20;
/// Work of a section at first, weight bytes.
const SECTION_WORK_FIRST: u64 = 64 << 10;
/// Least and most work of one section, weight bytes.
const SECTION_WORK: (u64, u64) = (16 << 10, 16 << 20);

/// What the baton guards.
struct Driver {
    batch: Batch,
    stage: u32,
    stages: u32,
}

/// A place in the team: a worker slot of the step, and the memory of its sections.
pub(crate) struct Slot {
    index: u32,
    section: Section,
}

impl Slot {
    /// Slot `index`.
    pub(crate) fn new(index: u32) -> Result<Self> {
        Ok(Self {
            index,
            section: Section::new()?,
        })
    }
}

/// Helpers that are worth waking for so much work.
fn helpers(work: u64) -> u32 {
    let more = |rest: u64| u32::try_from(rest / NEXT_HELPER).unwrap_or(u32::MAX);
    work.checked_sub(FIRST_HELPER)
        .map_or(0, |rest| more(rest).saturating_add(1))
}

/// The scheduler.
#[pin_data]
pub(crate) struct Scheduler {
    claims: Claims<Driver>,
    #[pin]
    queue: SpinLock<KVec<Job>>,
    queued: Atomic<u32>,
    #[pin]
    work: WaitQueue,
    #[pin]
    offer: Offer,
    #[pin]
    caller: SpinLock<Option<Slot>>,
    #[pin]
    watch: Watch,
    section_work: Atomic<u64>,
    broken: AtomicFlag,
    section_ns: u64,
    step_ns: u64,
    statistics: Arc<Statistics>,
}

impl Scheduler {
    /// Without turns.
    pub(crate) fn new(limits: &Limits, statistics: Arc<Statistics>) -> Result<Arc<Self>> {
        let driver = Driver {
            batch: Batch::new()?,
            stage: 0,
            stages: 0,
        };
        // A session has at most one turn, and the batch may have those of closed files.
        let most = (limits.sessions as usize).saturating_add(2 * LOGITS_MAX as usize);
        let queue = KVec::with_capacity(most, GFP_KERNEL)?;
        let caller = Slot::new(limits.workers)?;
        let claims = Claims::new(driver)?;
        let Limits {
            section_ns,
            step_ns,
            ..
        } = *limits;
        Arc::pin_init(
            pin_init!(Self {
                claims,
                queue <- new_spinlock!(queue, "sislm_queue"),
                queued: Atomic::new(0),
                work <- WaitQueue::new(),
                offer <- Offer::new(),
                caller <- new_spinlock!(Some(caller), "sislm_caller"),
                watch <- Watch::new(limits.step_timeout),
                section_work: Atomic::new(SECTION_WORK_FIRST),
                broken: AtomicFlag::new(false),
                section_ns,
                step_ns,
                statistics,
            }),
            GFP_KERNEL,
        )
    }

    /// Whether a chunk did not come back: nothing can be computed any more.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// Puts a turn at the end of the queue and wakes a worker for it.
    pub(crate) fn enqueue(&self, link: &Arc<Link>, turn: KBox<Turn>) {
        self.push(Job {
            link: link.clone(),
            turn,
        });
        self.work.wake(1);
    }

    fn push(&self, job: Job) {
        let rejected = {
            let mut queue = self.queue.lock();
            let rejected = queue.push_within_capacity(job);
            // CAST: At most 4096 sessions.
            self.queued.store(queue.len() as u32, Relaxed);
            rejected
        };
        // Not reached: there is room for a turn of each session.
        drop(rejected);
    }

    /// Takes the first job of the lowest rank.
    fn dequeue(&self, rank: impl Fn(&Job) -> Option<usize>) -> Option<Job> {
        let mut queue = self.queue.lock();
        let ranks = queue.iter().map(rank).enumerate();
        let (place, _) = ranks
            .filter_map(|(place, rank)| Some((place, rank?)))
            .min_by_key(|(_, rank)| *rank)?;
        let job = queue.remove(place).ok();
        self.queued.store(queue.len() as u32, Relaxed);
        job
    }

    /// Takes the turn of `link` out of the queue, if it is there.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        let job = self.dequeue(|job| core::ptr::eq(&*job.link, link).then_some(0))?;
        Some(job.turn)
    }

    /// Whether there is something to do.
    fn has_work(&self) -> bool {
        self.claims.available() || (self.claims.is_free() && self.queued.load(Relaxed) > 0)
    }

    /// Whether turns are queued or a step is in flight that can end.
    pub(crate) fn is_busy(&self) -> bool {
        !self.is_broken() && (!self.claims.is_free() || self.queued.load(Relaxed) > 0)
    }

    /// Does one thing of what there is to do, if there is any.
    fn contribute(&self, slot: &mut Slot) -> bool {
        if self.queued.load(Relaxed) > 0 {
            if let Some(baton) = self.claims.take() {
                self.drive(baton, slot);
                return true;
            }
        }
        let limit = self.section_work.load(Relaxed);
        match self.claims.work(&mut slot.section, slot.index, limit) {
            Work::Nothing => return false,
            Work::Some(amount) => self.account(amount, limit),
            Work::Last(amount, baton) => {
                self.account(amount, limit);
                self.finish_stage(baton, slot);
            }
        }
        true
    }

    /// Fits the work of a section to the time it should take.
    fn account(&self, amount: Amount, limit: u64) {
        self.statistics.sections.add(1);
        self.statistics.longest_section.raise(amount.work);
        let (least, most) = SECTION_WORK;
        let fitted = amount.work.saturating_mul(self.section_ns);
        let fitted = fitted.checked_div(amount.ns).unwrap_or(limit);
        // A quarter of the way: chunks differ, and a section may have been interrupted.
        let limit = limit
            .saturating_mul(3)
            .saturating_add(fitted.clamp(least, most))
            >> 2;
        self.section_work.store(limit.clamp(least, most), Relaxed);
    }

    /// A stage is done: the next one, or what comes after the step.
    fn finish_stage<'a>(&'a self, mut baton: Baton<'a, Driver>, slot: &mut Slot) {
        let failed = baton.failed();
        let (driver, flight) = baton.parts();
        driver.stage = driver.stage.saturating_add(1);
        if failed {
            driver.batch.drain(|job| self.fail(job, EIO));
        } else {
            driver.batch.drain_cancelled(|job| self.cancel(job));
        }
        if !driver.batch.is_empty() {
            if driver.stage < driver.stages {
                self.publish(baton, slot);
                return;
            }
            self.statistics.steps.add(1);
            driver.batch.finish(flight, &mut slot.section, |job, next| {
                self.dispose(job, next);
                task::relax();
            });
            // Once per step in any case: who computes alone must not look like a hung task.
            task::yield_now();
        }
        self.drive(baton, slot);
    }

    /// Puts a turn where it belongs after a step.
    fn dispose(&self, mut job: Job, next: Next) {
        match next {
            Next::Step if job.turn.has_room(&job.link) => self.push(job),
            Next::Step => {
                job.turn.pause_clock();
                self.hand_over(job);
            }
            Next::Park | Next::End => self.hand_over(job),
        }
    }

    /// Starts a step of what is in the queue.
    fn drive<'a>(&'a self, mut baton: Baton<'a, Driver>, slot: &mut Slot) {
        loop {
            let (driver, flight) = baton.parts();
            self.gather(&mut driver.batch);
            if driver.batch.is_empty() {
                flight.clear();
                baton.release();
                // A turn may have come before the release, when its waker saw the baton held.
                let more = self.queued.load(Relaxed) > 0;
                match more.then(|| self.claims.take()).flatten() {
                    Some(again) => baton = again,
                    None => return,
                }
                continue;
            }
            let fail = |job, error| self.fail(job, error);
            let section = &mut slot.section;
            match driver.batch.prepare(flight, section, self.step_ns, fail) {
                Ok(stages) => {
                    driver.stage = 0;
                    driver.stages = stages;
                    match self.try_publish(baton, slot) {
                        None => return,
                        Some(returned) => baton = returned,
                    }
                }
                Err(error) => driver.batch.drain(|job| self.fail(job, error)),
            }
        }
    }

    /// Fills the batch from the queue.
    fn gather(&self, batch: &mut Batch) {
        while let Some(job) = self.dequeue(|job| batch.rank(job)) {
            if job.link.is_cancelled() {
                self.cancel(job);
            } else {
                batch.add(job);
            }
        }
    }

    fn publish<'a>(&'a self, baton: Baton<'a, Driver>, slot: &mut Slot) {
        if let Some(baton) = self.try_publish(baton, slot) {
            self.drive(baton, slot);
        }
    }

    /// Starts a stage and wakes who can help; gives the baton back when the turns failed instead.
    fn try_publish<'a>(
        &self,
        mut baton: Baton<'a, Driver>,
        slot: &mut Slot,
    ) -> Option<Baton<'a, Driver>> {
        let (driver, _) = baton.parts();
        let (rows, stage) = (u64::from(driver.batch.rows()), driver.stage);
        let wakes = driver.batch.wakes();
        match baton.publish(&mut slot.section, stage) {
            Ok((chunks, work)) => {
                let work = work.saturating_mul(u64::from(chunks)).saturating_mul(rows);
                let others = chunks
                    .saturating_sub(1)
                    .min(cpu::online().saturating_sub(1));
                self.work
                    .wake(if wakes { helpers(work).min(others) } else { 0 });
                None
            }
            Err((error, mut baton)) => {
                let (driver, _) = baton.parts();
                driver.batch.drain(|job| self.fail(job, error));
                Some(baton)
            }
        }
    }

    fn cancel(&self, mut job: Job) {
        job.turn.end(SISLM_FINISH_CANCELLED);
        job.turn.pause_clock();
        self.hand_over(job);
    }

    fn fail(&self, mut job: Job, error: Error) {
        job.turn.fail(error);
        job.turn.pause_clock();
        self.hand_over(job);
    }

    /// Gives a turn that is parked or over to its session.
    fn hand_over(&self, job: Job) {
        if let Some(turn) = job.link.receive(job.turn) {
            self.enqueue(&job.link, turn);
        }
    }

    /// Lets the workers help with a piece, unless they help with one of another load.
    pub(crate) fn share(&self, piece: &Arc<Piece>) {
        if self.offer.make(piece) {
            let others = cpu::online().saturating_sub(1);
            self.work.wake(piece.parts().min(others));
        }
    }

    /// Ends [`Scheduler::share`].
    pub(crate) fn unshare(&self, piece: &Arc<Piece>) {
        self.offer.end(piece);
    }

    /// Works until `done`, which must not sleep. What a worker does.
    pub(crate) fn serve(&self, slot: &mut Slot, done: impl Fn() -> bool) {
        while !done() {
            if !self.is_broken() && (self.contribute(slot) || self.offer.work(&mut slot.section)) {
                task::relax();
                continue;
            }
            task::freeze_if_asked();
            let has_work = || self.has_work() || self.offer.is_open();
            let ready = || done() || (!self.is_broken() && has_work());
            let seconds = if self.is_busy() {
                WATCH_SECONDS
            } else {
                IDLE_SECONDS
            };
            if self.work.wait_exclusive(seconds, ready) == Woken::Timeout {
                self.watch();
            }
        }
    }

    /// Waits until `done`, a signal, or the device is broken, and helps meanwhile. `queue` is woken
    /// when `done` may have changed.
    pub(crate) fn help(&self, queue: &WaitQueue, done: impl Fn() -> bool) -> Woken {
        let mut slot = self.caller.lock().take();
        let woken = loop {
            if done() || self.is_broken() {
                break Woken::Ready;
            }
            if task::signal_pending() {
                break Woken::Signal;
            }
            if slot.as_mut().is_some_and(|slot| self.contribute(slot)) {
                task::relax();
                continue;
            }
            let woken = match slot {
                Some(_) => {
                    queue.wait_either(&self.work, WATCH_SECONDS, || done() || self.has_work())
                }
                None => queue.wait(WATCH_SECONDS, &done),
            };
            if woken == Woken::Timeout {
                self.watch();
            }
        };
        if slot.is_some() {
            *self.caller.lock() = slot;
            // Somebody else must go on.
            if self.has_work() {
                self.work.wake(1);
            }
        }
        woken
    }

    /// Marks the device broken when the step in flight has not gone on for too long.
    fn watch(&self) {
        let idle = self.claims.is_free();
        if self.watch.stands_still(self.claims.progress(), idle) && !self.broken.xchg(true, Full) {
            pr_err!(
                "a step made no progress for {} s: the device is broken\n",
                self.watch.timeout()
            );
        }
    }
}
