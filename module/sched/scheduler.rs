// SPDX-License-Identifier: GPL-2.0
//! The scheduler: turns queue for steps, and whoever waits or works helps with the step in flight.
//!
//! One step is in flight at a time. There is no lock to hold over it: the baton guards what a step
//! changes. The task that does a stage's last chunk starts the next stage, and at the end of the step
//! puts the baton down for the carrier.
//!
//! Nobody waits for a task that does not run: chunks are computed and stages started with preemption
//! off, until no chunk is free or another task should run on this CPU. Who stops while chunks are
//! free wakes a worker first. The rest is the carrier's, a kernel thread.
//!
//! A worker without a step to help with hashes and packs a model file that is being loaded.
//!
//! The spinlocks of the queue, of the offered piece and of the watch are the innermost locks.

use crate::{
    limits::Limits,
    metrics::Metrics,
    models::{loader::Helpers, offer::Offer},
    records::recorder::Recorder,
    sched::{
        batch::{Batch, Job},
        growth::Growth,
        run_queue::RunQueue,
        watch::{Progress, Watch},
    },
    statistics::Statistics,
    sys::{
        claims::{Amount, Baton, Claims, Published},
        clock, cpu,
        neon::{Inside, Section},
        piece::Piece,
        task::{self, Unpreempted},
        wait::{WaitQueue, Woken, FOREVER},
    },
    turn::{link::Link, Turn}, //
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
pub(crate) struct Driver {
    /// The turns of the step.
    pub(crate) batch: Batch,
    /// The stage in flight, or the one to start next.
    pub(crate) stage: u32,
    /// Stages of the step.
    pub(crate) stages: u32,
    /// Why a stage could not be started.
    pub(crate) error: Option<Error>,
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
    /// Chunks and baton of the step in flight.
    pub(crate) claims: Claims<Driver>,
    /// Turns that wait.
    #[pin]
    pub(crate) queue: RunQueue,
    /// Turns that wait for blocks.
    #[pin]
    pub(crate) growth: Growth,
    /// Workers, and callers that help.
    #[pin]
    pub(crate) work: WaitQueue,
    /// The carrier.
    #[pin]
    pub(crate) put_down: WaitQueue,
    #[pin]
    offer: Offer,
    /// Slots for callers while they compute.
    #[pin]
    callers: SpinLock<KVec<Slot>>,
    /// Callers that wait.
    waiting: Atomic<u32>,
    /// Most of them that are woken for other users' steps.
    seats: u32,
    #[pin]
    watch: Watch,
    /// Rounds of the carrier: it is woken for each turn that waits.
    pub(crate) rounds: Atomic<u64>,
    /// The number of the user whose callers alone compute the step in flight; 0 when all do.
    pub(crate) payer: Atomic<u64>,
    section_work: Atomic<u64>,
    broken: AtomicFlag,
    section_ns: u64,
    /// Aim for the length of a step that computes prompts beside answers.
    pub(crate) step_ns: u64,
    /// Counters.
    pub(crate) statistics: Arc<Statistics>,
    metrics: Arc<Metrics>,
    /// Who makes records of turns.
    pub(crate) recorder: Arc<Recorder>,
}

impl Scheduler {
    /// Without turns.
    pub(crate) fn new(
        limits: &Limits,
        statistics: Arc<Statistics>,
        metrics: Arc<Metrics>,
        recorder: Arc<Recorder>,
    ) -> Result<Arc<Self>> {
        let driver = Driver {
            batch: Batch::new()?,
            stage: 0,
            stages: 0,
            error: None,
        };
        let most = limits.turns();
        let (queue, growth) = (RunQueue::new(most)?, Growth::new(most)?);
        let mut callers = KVec::with_capacity(limits.callers() as usize, GFP_KERNEL)?;
        for index in limits.workers..limits.slots() {
            callers.push(Slot::new(index)?, GFP_KERNEL)?;
        }
        let claims = Claims::new(driver)?;
        let Limits {
            section_ns,
            step_ns,
            ..
        } = *limits;
        Arc::pin_init(
            pin_init!(Self {
                claims,
                queue <- queue,
                growth <- growth,
                work <- WaitQueue::new(),
                put_down <- WaitQueue::new(),
                offer <- Offer::new(),
                callers <- new_spinlock!(callers, "sislm_callers"),
                waiting: Atomic::new(0),
                seats: limits.callers(),
                watch <- Watch::new(limits.step_timeout),
                rounds: Atomic::new(0),
                payer: Atomic::new(0),
                section_work: Atomic::new(SECTION_WORK_FIRST),
                broken: AtomicFlag::new(false),
                section_ns,
                step_ns,
                statistics,
                metrics,
                recorder,
            }),
            GFP_KERNEL,
        )
    }

    /// Whether the step in flight stands still: calls fail until it goes on.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }

    /// Puts a turn into the queue.
    pub(crate) fn enqueue(&self, link: &Arc<Link>, turn: KBox<Turn>) {
        link.meter.note_kv(turn.kv_bytes());
        let user = link.user().number();
        self.queue_in_time(Job::new(link.clone(), turn), clock::now());
        self.put_down.wake(1);
        let payer = self.payer.load(Relaxed);
        if payer != 0 && payer != user && !link.comes_last() {
            self.open_step();
        }
    }

    /// Lets the workers end a step that was left to callers: somebody else waits for it, or nobody
    /// computes it.
    fn open_step(&self) {
        if self.payer.xchg(0, Full) != 0 {
            self.work.wake(1);
        }
    }

    /// Whether a chunk is free that workers may compute.
    pub(crate) fn is_open(&self) -> bool {
        self.claims.available() && self.payer.load(Relaxed) == 0
    }

    /// Lets the turn of `link` be looked at, if it waits for a caller: one has come, or it is to end.
    pub(crate) fn call(&self, link: &Link) {
        self.queue.call(link);
        self.put_down.wake(1);
    }

    /// Takes the turn of `link` out of its queue, if it is in one.
    pub(crate) fn withdraw(&self, link: &Link) -> Option<KBox<Turn>> {
        self.queue
            .withdraw(link)
            .or_else(|| self.growth.withdraw(link))
    }

    /// Whether turns are queued or a step is in flight that can end.
    pub(crate) fn is_busy(&self) -> bool {
        !self.is_broken() && self.has_turns()
    }

    fn has_turns(&self) -> bool {
        !self.claims.is_free() || !self.queue.is_empty() || !self.growth.is_empty()
    }

    /// Computes chunks until none is free, `done`, or another task should run here; whether it did
    /// any.
    fn contribute(&self, slot: &mut Slot, done: impl Fn() -> bool) -> bool {
        let Slot { index, section } = slot;
        let limit = self.section_work.load(Relaxed);
        self.claims
            .run(section, *index, limit, |inside, amount, baton| {
                let limit = self.account(amount);
                if let Some(baton) = baton {
                    self.finish_stage(baton, inside);
                }
                if !task::need_resched() && !done() {
                    return Some(limit);
                }
                // Somebody else must go on: this task may not run for long.
                if self.claims.available() {
                    self.work.wake(1);
                }
                None
            })
    }

    /// Fits the work of a section to the time it should take; gives that of the next.
    fn account(&self, amount: Amount) -> u64 {
        let limit = self.section_work.load(Relaxed);
        self.statistics.sections.add(1);
        self.metrics.section(amount.work);
        self.statistics.longest_section.raise(amount.work);
        let (least, most) = SECTION_WORK;
        let fitted = amount.work.saturating_mul(self.section_ns);
        let fitted = fitted.checked_div(amount.ns).unwrap_or(limit);
        // A quarter of the way: chunks differ, and a section may have been interrupted.
        let limit = limit
            .saturating_mul(3)
            .saturating_add(fitted.clamp(least, most))
            >> 2;
        let limit = limit.clamp(least, most);
        self.section_work.store(limit, Relaxed);
        limit
    }

    /// A stage is done: starts the next one, unless that is for the carrier.
    fn finish_stage<'a>(&'a self, mut baton: Baton<'a, Driver>, inside: &Inside<'_>) {
        let failed = baton.failed();
        let (driver, _) = baton.parts();
        driver.stage = driver.stage.saturating_add(1);
        if failed || driver.stage >= driver.stages || driver.batch.has_cancelled() {
            baton.put_down();
            self.put_down.wake_instead();
        } else {
            let publish = |baton: Baton<'a, Driver>, stage| baton.publish(inside, stage);
            if let Some(helpers) = self.start_stage(baton, publish) {
                self.work.wake(helpers);
            }
        }
    }

    /// Starts the stage that comes next; gives the helpers worth waking. On an error the baton is put
    /// down for the carrier.
    pub(crate) fn start_stage<'a>(
        &'a self,
        mut baton: Baton<'a, Driver>,
        publish: impl FnOnce(Baton<'a, Driver>, u32) -> Published<'a, Driver>,
    ) -> Option<u32> {
        let (driver, _) = baton.parts();
        let (rows, stage) = (u64::from(driver.batch.rows()), driver.stage);
        let wakes = driver.batch.wakes();
        match publish(baton, stage) {
            Ok((chunks, work)) => {
                let work = work.saturating_mul(u64::from(chunks)).saturating_mul(rows);
                let others = cpu::online().saturating_sub(1);
                let most = chunks.saturating_sub(1).min(others);
                Some(if wakes { helpers(work).min(most) } else { 0 })
            }
            Err((error, mut baton)) => {
                let (driver, _) = baton.parts();
                driver.error = Some(error);
                baton.put_down();
                self.put_down.wake(1);
                None
            }
        }
    }

    /// Works until `done`, which must not sleep. What a worker does.
    pub(crate) fn serve(&self, slot: &mut Slot, done: impl Fn() -> bool) {
        while !done() {
            task::freeze_if_asked();
            let stop = || done() || self.payer.load(Relaxed) != 0;
            if self.is_open() && self.contribute(slot, stop) || self.offer.work(&mut slot.section) {
                task::relax();
                continue;
            }
            let ready = || done() || self.is_open() || self.offer.is_open();
            let seconds = if self.has_turns() {
                WATCH_SECONDS
            } else {
                FOREVER
            };
            if self.work.wait_exclusive(seconds, ready) == Woken::Timeout {
                self.look();
            }
        }
    }

    /// Waits until `done`, a signal, or the device is broken, and helps meanwhile. The queue of `link`
    /// is woken when `done` may have changed.
    pub(crate) fn help(&self, link: &Link, done: impl Fn() -> bool) -> Woken {
        link.join();
        if link.is_unhelped() {
            self.call(link);
        }
        let seated = self.waiting.fetch_add(1, Relaxed) < self.seats;
        let ended = || done() || self.is_broken() || task::signal_pending();
        let woken = loop {
            if done() || self.is_broken() {
                break Woken::Ready;
            }
            if task::signal_pending() {
                break Woken::Signal;
            }
            if self.contribute_once(ended) {
                task::relax();
                continue;
            }
            let woken = if seated {
                let ready = || done() || self.has_slot();
                link.wait.wait_either(&self.work, WATCH_SECONDS, ready)
            } else {
                let is_left = || self.payer.load(Relaxed) == link.user().number();
                let ready = || done() || is_left() && self.has_slot();
                link.wait.wait(WATCH_SECONDS, ready)
            };
            if woken == Woken::Timeout {
                self.look();
            }
        };
        self.waiting.fetch_sub(1, Relaxed);
        link.leave();
        if self.payer.load(Relaxed) == link.user().number() {
            self.open_step();
        }
        woken
    }

    /// Whether a chunk is free, and a slot for a caller who would compute it.
    fn has_slot(&self) -> bool {
        self.claims.available() && !self.callers.lock().is_empty()
    }

    /// As [`Scheduler::contribute`], in a slot for callers. Nobody is descheduled with one, so there are
    /// enough, however many callers wait.
    fn contribute_once(&self, done: impl Fn() -> bool) -> bool {
        if !self.claims.available() {
            return false;
        }
        let _held = Unpreempted::new();
        let Some(mut slot) = self.callers.lock().pop() else {
            return false;
        };
        let any = self.contribute(&mut slot, done);
        // Not rejected: it came from there.
        drop(self.callers.lock().push_within_capacity(slot));
        any
    }

    /// Marks the device broken when the step in flight has not gone on for too long, or none was made
    /// of the turns that wait; and whole when it has gone on.
    fn look(&self) {
        let progress = if !self.claims.is_free() {
            let (word, done) = self.claims.progress();
            Progress::Step(word, done)
        } else if self.has_runnable() {
            Progress::Waiting(self.rounds.load(Relaxed))
        } else {
            Progress::Idle
        };
        if !self.watch.stands_still(progress) {
            self.notice_progress();
        } else if self.payer.load(Relaxed) != 0 {
            self.open_step();
        } else if !self.broken.xchg(true, Full) {
            pr_err!(
                "a step made no progress for {} s: the device is broken until it goes on\n",
                self.watch.timeout()
            );
        }
    }

    /// The step in flight goes on: the device is whole.
    pub(crate) fn notice_progress(&self) {
        if self.is_broken() && self.broken.xchg(false, Full) {
            pr_info!("the step goes on: the device works again\n");
        }
    }
}

impl Helpers for Scheduler {
    fn share(&self, piece: &Arc<Piece>) {
        if self.offer.make(piece) {
            let others = cpu::online().saturating_sub(1);
            self.work.wake(piece.parts().min(others));
        }
    }

    fn unshare(&self, piece: &Arc<Piece>) {
        self.offer.end(piece);
    }
}
