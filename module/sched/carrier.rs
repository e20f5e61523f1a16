// SPDX-License-Identifier: GPL-2.0
//! The carrier of the baton: the kernel thread that makes steps of the turns in the queue.
//!
//! It takes the logits of a step that is done and puts its turns at the end of the queue. Then it
//! starts a step of turns that can be computed together, in the order of the queue. Between two stages
//! of a step whoever did the last chunk goes on by itself; the carrier is woken for what may take
//! longer or free memory. It computes no chunks and never lets others run while it has the baton. Its slices
//! are short, so that it is soon on a CPU after a wake-up, whatever loops there.

use crate::{
    sched::{
        batch::{Batch, Job},
        scheduler::{Driver, Scheduler},
    },
    sys::{
        claims::Baton,
        clock,
        neon::Section,
        task,
        thread::{should_stop, Body, Thread},
        uapi::SISLM_FINISH_CANCELLED,
        wait::Woken,
    },
    turn::Next, //
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{atomic::Relaxed, Arc, SpinLock}, //
};

impl Scheduler {
    /// Carries the baton until `done`, which must not sleep.
    fn carry(&self, section: &mut Section, done: impl Fn() -> bool) {
        let mut looked = true;
        while !done() {
            task::freeze_if_asked();
            self.rounds.fetch_add(1, Relaxed);
            self.end_due();
            let worked = if let Some(baton) = self.claims.pick_up() {
                self.notice_progress();
                self.after_stage(baton, section);
                true
            } else if let Some(baton) = self.next_baton() {
                self.drive(baton, section);
                true
            } else {
                false
            };
            if worked {
                // It may have stood still in there.
                self.notice_progress();
                looked = false;
                continue;
            }
            let alarm = self.queue.alarm();
            let ready = || {
                let waits = self.claims.is_free() && self.has_runnable();
                done() || self.claims.is_put_down() || waits || self.queue.alarm() < alarm
            };
            if looked || self.claims.is_free() {
                // The workers and callers watch over the rest.
                self.put_down.wait_exclusive_until(alarm, ready);
                continue;
            }
            looked = self.put_down.glance(ready) == Woken::Timeout;
            if looked && self.is_open() {
                // Who was woken is not run.
                self.work.wake(u32::MAX);
            }
        }
    }

    fn next_baton(&self) -> Option<Baton<'_, Driver>> {
        if !self.has_runnable() {
            return None;
        }
        self.claims.take()
    }

    /// Whether a turn waits that a step can be made of, or that is to end.
    pub(crate) fn has_runnable(&self) -> bool {
        self.queue.is_ready()
    }

    /// The stages before `stage` are done, or one has failed: the next one, or what comes after the
    /// step.
    fn after_stage<'a>(&'a self, mut baton: Baton<'a, Driver>, section: &mut Section) {
        let failed = baton.failed();
        let (driver, _) = baton.parts();
        let error = driver.error.take().or(failed.then_some(EIO));
        let goes_on = error.is_none() && driver.batch.note_cancelled();
        if goes_on && driver.stage < driver.stages {
            self.publish(baton, section);
            return;
        }
        let ns = baton.take_spent();
        let (driver, flight) = baton.parts();
        driver.batch.charge(ns, goes_on);
        if goes_on {
            self.statistics.steps.add(1);
            driver.batch.finish(flight, section);
        }
        self.charge(&driver.batch);
        // Before the turns go: their blocks are not to be freed here, which may take long.
        flight.clear();
        driver.batch.drain(|job, next| match (error, next) {
            (Some(error), _) => self.fail(job, error),
            (None, Some(next)) => self.dispose(job, next),
            (None, None) => self.cancel(job),
        });
        self.drive(baton, section);
    }

    /// Charges the turns of a step with what they have cost.
    fn charge(&self, batch: &Batch) {
        self.recorder.between_records(|| {
            let mut step = 0u64;
            for (job, ns) in batch.costs() {
                step = step.saturating_add(ns);
                job.link.meter.charge(ns);
                let statistics = job.link.user().statistics();
                statistics.add(|all| &all.served_ns, ns);
            }
            self.statistics.longest_step.raise(step);
        });
        self.queue.charge(batch.costs());
    }

    /// Puts a turn where it belongs after a step.
    fn dispose(&self, mut job: Job, next: Next) {
        let now = clock::now();
        if job.turn.decodes() {
            job.link.bucket.take(job.turn.interval, now);
            let user = job.link.user();
            user.bucket().take(user.allowance().interval(), now);
        }
        match next {
            Next::Step if !job.turn.has_room(&*job.link) => {
                job.turn.pause_clock();
                self.hand_over(job);
            }
            Next::Step if job.turn.expire(now, &*job.link) => self.hand_over(job),
            Next::Step if job.turn.sequence.lacks_blocks() => {
                self.queue.leave(&mut job);
                self.growth.push(job);
            }
            Next::Step => self.queue_in_time(job, now),
            Next::Park | Next::End => self.hand_over(job),
        }
    }

    /// Puts a turn into the queue; aside when its next token is not due.
    pub(crate) fn queue_in_time(&self, mut job: Job, now: u64) {
        let user = job.link.user();
        let due = user.bucket().due(user.allowance().interval());
        let due = due.max(job.link.bucket.due(job.turn.interval));
        if due <= now || !job.turn.gives_tokens() {
            self.queue.push(job);
        } else {
            job.turn.statistics.add(|all| &all.paced, 1);
            job.turn.pause_clock();
            self.queue.push_aside(job, due);
        }
    }

    /// Ends the turns whose deadline is over.
    fn end_due(&self) {
        let now = clock::now();
        while let Some(mut job) = self.queue.take_due(now) {
            job.turn.expire(now, &*job.link);
            self.hand_over(job);
        }
    }

    /// Starts a step of what is in the queue; without turns the baton is free.
    fn drive<'a>(&'a self, mut baton: Baton<'a, Driver>, section: &mut Section) {
        loop {
            let (driver, flight) = baton.parts();
            self.fill(&mut driver.batch);
            if driver.batch.is_empty() {
                flight.clear();
                baton.release();
                return;
            }
            let crowded = self.has_runnable() && self.queue.is_crowded();
            let payer = driver.batch.payer(|job| !self.queue.others_wait(job));
            self.payer.store(payer, Relaxed);
            let fail = |job, error| self.fail(job, error);
            let batch = &mut driver.batch;
            match batch.prepare(flight, section, self.step_ns, crowded, fail) {
                Ok(stages) => {
                    driver.stage = 0;
                    driver.stages = stages;
                    self.publish(baton, section);
                    return;
                }
                Err(error) => {
                    flight.clear();
                    driver.batch.drain(|job, _| self.fail(job, error));
                }
            }
        }
    }

    /// Takes turns into the next step. Those that are to end do so.
    fn fill(&self, batch: &mut Batch) {
        self.queue.begin_step();
        while !batch.is_full() {
            match self.queue.take(batch.is_empty(), |job| batch.joins(job)) {
                Some(job) if job.link.is_cancelled() => self.cancel(job),
                Some(job) => batch.add(job),
                None => break,
            }
        }
    }

    /// Starts the stage that comes next. Somebody is woken in any case: the carrier computes nothing.
    fn publish<'a>(&'a self, mut baton: Baton<'a, Driver>, section: &mut Section) {
        let (driver, _) = baton.parts();
        let callers = driver.batch.callers();
        let publish = |baton: Baton<'a, Driver>, stage| baton.publish_from(section, stage);
        if let Some(helpers) = self.start_stage(baton, publish) {
            self.work.wake(helpers.max(1));
            for link in callers.iter().flatten() {
                link.wait.wake_all();
            }
        }
    }

    /// Ends a turn that nobody wants any more.
    pub(crate) fn cancel(&self, mut job: Job) {
        job.turn.end(SISLM_FINISH_CANCELLED);
        self.hand_over(job);
    }

    /// Ends a turn for an error.
    pub(crate) fn fail(&self, mut job: Job, error: Error) {
        job.turn.fail(error);
        self.hand_over(job);
    }

    /// Gives a turn that is parked or over to its session, or to who frees it.
    fn hand_over(&self, mut job: Job) {
        self.queue.leave(&mut job);
        let Job { link, turn, .. } = job;
        match link.receive(turn) {
            Ok(None) => {}
            Ok(Some(turn)) => self.enqueue(&link, turn),
            Err(turn) => self.growth.push(Job::new(link, turn)),
        }
    }
}

/// What the thread needs.
#[pin_data]
struct Carrier {
    scheduler: Arc<Scheduler>,
    #[pin]
    section: SpinLock<Option<Section>>,
}

impl Body for Carrier {
    fn run(&self) {
        task::prefer_latency();
        let section = self.section.lock().take();
        if let Some(mut section) = section {
            let done = || should_stop() && !self.scheduler.is_busy();
            self.scheduler.carry(&mut section, done);
        }
    }
}

/// The thread; stopped and joined when dropped.
pub(crate) struct CarrierThread {
    _thread: Thread<Carrier>,
}

impl CarrierThread {
    /// Starts it.
    pub(crate) fn start(scheduler: &Arc<Scheduler>) -> Result<Self> {
        let section = Section::new()?;
        let carrier = Arc::pin_init(
            pin_init!(Carrier {
                scheduler: scheduler.clone(),
                section <- new_spinlock!(Some(section), "sislm_carrier"),
            }),
            GFP_KERNEL,
        )?;
        Ok(Self {
            _thread: Thread::spawn(carrier, c"sislm/carrier", 0, 0)?,
        })
    }
}
