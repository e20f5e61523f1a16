// SPDX-License-Identifier: GPL-2.0
//! Claims: who runs which chunk of the step in flight.
//!
//! One 64-bit word holds the generation of the stage (above) and its next chunk (below). It is
//! advanced by compare-and-exchange, so a late task cannot claim in a stage that it has not seen.
//! A claim is of several chunks, fewer towards the end of the stage, so that the tasks end together
//! (guided self-scheduling, Polychronopoulos and Kuck, 1987).
//! A stage is over when its chunks are done; whoever does the last one gets the *baton*: the right,
//! held by at most one task, to change the step and to start the next stage. It can be put down for
//! another task to pick up.
//!
//! Chunks are claimed, run and counted with preemption off: no chunk waits for a task that does not
//! run.

use super::{
    cpu,
    flight::Flight,
    neon::{Inside, Section},
    task::{self, Unpreempted},
};
use core::cell::UnsafeCell;
use kernel::{
    prelude::*,
    sync::atomic::{Acquire, Atomic, AtomicFlag, Full, Relaxed},
    time::{Instant, Monotonic},
};

/// A stage as it is published. Two are kept, by the parity of the generation: the values of one are
/// not changed before the generation after the next, when no claim of it can succeed any more.
struct Stage {
    /// Number of the stage above, of its chunks below.
    shape: Atomic<u64>,
    /// Weight bytes of a chunk.
    work: Atomic<u64>,
    /// A claim is of at most this part of the chunks that are left.
    divisor: Atomic<u32>,
}

/// What a task has claimed of a stage.
#[derive(Clone, Copy)]
struct Claim {
    generation: u32,
    stage: u32,
    /// The first chunk.
    first: u32,
    /// Chunks, at least one.
    count: u32,
    /// Chunks of the whole stage.
    chunks: u32,
    /// Weight bytes of a chunk.
    work: u64,
}

/// Nobody has the baton and no step is in flight.
const FREE: u32 = 0;
/// A task has the baton, or chunks are left to do.
const TAKEN: u32 = 1;
/// The baton was put down in the middle of a step.
const PUT_DOWN: u32 = 2;

/// The claims of a team, with the state that its baton guards.
///
/// # Invariants
///
/// `flight` and `state` are accessed by the holder of the baton only, but that `flight` is also read
/// while a chunk is claimed, when there is no baton.
pub(crate) struct Claims<T> {
    word: Atomic<u64>,
    stages: [Stage; 2],
    done: Atomic<u32>,
    /// Time spent in chunks since it was taken last, by all tasks together, nanoseconds.
    spent: Atomic<u64>,
    baton: Atomic<u32>,
    failed: AtomicFlag,
    flight: UnsafeCell<Flight>,
    state: UnsafeCell<T>,
}

// SAFETY: The cells are accessed by the rules of the invariant; the rest is atomic.
unsafe impl<T: Send> Sync for Claims<T> {}

/// The right to change the step.
///
/// # Invariants
///
/// At most one exists for its claims, and none while chunks are left to do.
#[must_use = "a lost baton stops the team: release it, put it down or publish a stage"]
pub(crate) struct Baton<'a, T> {
    claims: &'a Claims<T>,
}

/// Chunks of a stage that was started and the weight bytes of each; the baton with an error.
pub(crate) type Published<'a, T> = Result<(u32, u64), (Error, Baton<'a, T>)>;

/// What one section did.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    /// Weight bytes.
    pub(crate) work: u64,
    /// Time in nanoseconds.
    pub(crate) ns: u64,
}

const fn parts(word: u64) -> (u32, u32) {
    // CAST: Each half fits.
    ((word >> 32) as u32, word as u32)
}

const fn join(above: u32, below: u32) -> u64 {
    (above as u64) << 32 | below as u64
}

/// With one CPU a claim may be of all chunks that are left.
const fn divisor(cpus: u32) -> u32 {
    match cpus {
        0 | 1 => 1,
        several => several.saturating_mul(2),
    }
}

impl<T> Claims<T> {
    /// With nothing to do.
    pub(crate) fn new(state: T) -> Result<Self> {
        let stage = || Stage {
            shape: Atomic::new(0),
            work: Atomic::new(0),
            divisor: Atomic::new(1),
        };
        Ok(Self {
            word: Atomic::new(0),
            stages: [stage(), stage()],
            done: Atomic::new(0),
            spent: Atomic::new(0),
            baton: Atomic::new(FREE),
            failed: AtomicFlag::new(false),
            flight: UnsafeCell::new(Flight::new()?),
            state: UnsafeCell::new(state),
        })
    }

    /// Takes the baton when it is free: nobody holds it and no step is in flight.
    pub(crate) fn take(&self) -> Option<Baton<'_, T>> {
        self.take_from(FREE)
    }

    /// Picks the baton up when it was put down.
    pub(crate) fn pick_up(&self) -> Option<Baton<'_, T>> {
        self.take_from(PUT_DOWN)
    }

    fn take_from(&self, state: u32) -> Option<Baton<'_, T>> {
        // INVARIANT: `TAKEN` while a baton exists or chunks are left.
        self.baton
            .cmpxchg(state, TAKEN, Full)
            .is_ok()
            .then_some(Baton { claims: self })
    }

    /// Whether the baton is free.
    pub(crate) fn is_free(&self) -> bool {
        self.baton.load(Acquire) == FREE
    }

    /// Whether the baton was put down.
    pub(crate) fn is_put_down(&self) -> bool {
        self.baton.load(Acquire) == PUT_DOWN
    }

    fn stage(&self, generation: u32) -> &Stage {
        let [even, odd] = &self.stages;
        if generation & 1 == 0 {
            even
        } else {
            odd
        }
    }

    /// Whether a chunk is free.
    pub(crate) fn available(&self) -> bool {
        let (generation, next) = parts(self.word.load(Acquire));
        let (_, chunks) = parts(self.stage(generation).shape.load(Relaxed));
        next < chunks
    }

    /// A number that changes whenever a chunk is claimed or done.
    pub(crate) fn progress(&self) -> (u64, u32) {
        (self.word.load(Relaxed), self.done.load(Relaxed))
    }

    /// Claims chunks, as near to `limit` weight bytes as whole chunks allow, at least one; fewer where
    /// others should have some.
    fn claim(&self, limit: u64) -> Option<Claim> {
        let mut word = self.word.load(Acquire);
        loop {
            let (generation, next) = parts(word);
            let stage = self.stage(generation);
            let (number, chunks) = parts(stage.shape.load(Relaxed));
            let work = stage.work.load(Relaxed);
            let divisor = stage.divisor.load(Relaxed);
            let left = chunks.saturating_sub(next);
            if left == 0 {
                return None;
            }
            let wanted = limit.saturating_add(work >> 1).checked_div(work);
            let part = left.checked_div(divisor).unwrap_or(left).max(1);
            // CAST: At most `part`.
            let count = wanted.unwrap_or(1).clamp(1, u64::from(part)) as u32;
            // Success shows that the values read are those of this generation.
            match self
                .word
                .cmpxchg(word, word.wrapping_add(u64::from(count)), Full)
            {
                Ok(_) => {
                    return Some(Claim {
                        generation,
                        stage: number,
                        first: next,
                        count,
                        chunks,
                        work,
                    })
                }
                // Read again: what a failed exchange gives is not ordered before the reads above.
                Err(_) => word = self.word.load(Acquire),
            }
        }
    }

    /// Runs chunks, as near to `limit` weight bytes as whole chunks of one stage allow, at least one.
    /// Then it tells `next`, with the baton when they were the stage's last, and goes on with the limit
    /// that this gives, until it gives none or no chunk is free. `slot` is the caller's alone. Whether
    /// there was a chunk. All in one section with preemption off, `next` too.
    pub(crate) fn run<'a>(
        &'a self,
        section: &mut Section,
        slot: u32,
        limit: u64,
        mut next: impl FnMut(&Inside<'_>, Amount, Option<Baton<'a, T>>) -> Option<u64>,
    ) -> bool {
        if !self.available() {
            return false;
        }
        let _held = Unpreempted::new();
        section.enter(|inside| {
            let (mut any, mut limit) = (false, Some(limit));
            while let Some(most) = limit {
                let Some((amount, baton)) = self.work(inside, slot, most) else {
                    break;
                };
                any = true;
                limit = next(inside, amount, baton);
            }
            any
        })
    }

    /// Runs chunks of one stage; no more are claimed when another task should run.
    fn work(
        &self,
        inside: &Inside<'_>,
        slot: u32,
        limit: u64,
    ) -> Option<(Amount, Option<Baton<'_, T>>)> {
        let begun = self.claim(limit)?;
        // SAFETY: A chunk is claimed and not done, so by the invariant the cell is not changed.
        let flight = unsafe { &*self.flight.get() };
        let start = Instant::<Monotonic>::now();
        let (mut count, mut amount) = (0u32, 0u64);
        let mut claimed = Some(begun);
        while let Some(claim) = claimed {
            let chunks = (claim.first, claim.count);
            // SAFETY: The stages are published in order, each when the one before is done; the
            // claim makes the chunks ours alone.
            if unsafe { flight.chunks(inside, claim.stage, slot, chunks) }.is_err() {
                self.failed.store(true, Relaxed);
            }
            count = count.wrapping_add(claim.count);
            let done = claim.work.saturating_mul(u64::from(claim.count));
            amount = amount.saturating_add(done);
            let full = amount.saturating_add(claim.work >> 1) > limit;
            claimed = if full || task::need_resched() {
                None
            } else {
                self.claim_in(claim.generation, limit.saturating_sub(amount))
            };
        }
        let amount = Amount {
            work: amount,
            ns: u64::try_from(start.elapsed().as_nanos()).unwrap_or(0),
        };
        // Before the chunks are done: whoever gets the baton sees all of it.
        self.spent.fetch_add(amount.ns, Relaxed);
        let done = self.done.fetch_add(count, Full).wrapping_add(count);
        // INVARIANT: All chunks are done and only one task sees the sum reach their number.
        let last = (done == begun.chunks).then_some(Baton { claims: self });
        Some((amount, last))
    }

    /// Claims more chunks of a stage in which the caller holds some, so it cannot be over.
    fn claim_in(&self, generation: u32, limit: u64) -> Option<Claim> {
        self.claim(limit)
            .filter(|claim| claim.generation == generation)
    }
}

impl<'a, T> Baton<'a, T> {
    /// As [`Baton::publish`], in a section of its own.
    pub(crate) fn publish_from(self, section: &mut Section, stage: u32) -> Published<'a, T> {
        section.enter(|inside| self.publish(inside, stage))
    }

    /// The state that the baton guards, and the step in flight.
    pub(crate) fn parts(&mut self) -> (&mut T, &mut Flight) {
        let claims = self.claims;
        // SAFETY: By the invariant of the claims: borrowed from the only baton, while no chunk is
        // claimed.
        unsafe { (&mut *claims.state.get(), &mut *claims.flight.get()) }
    }

    /// Whether a chunk since the last first stage ended with an error.
    pub(crate) fn failed(&self) -> bool {
        self.claims.failed.load(Relaxed)
    }

    /// The time that all tasks together have spent in chunks since this was asked last, nanoseconds.
    pub(crate) fn take_spent(&mut self) -> u64 {
        self.claims.spent.xchg(0, Relaxed)
    }

    /// Starts stage `stage` of the step in flight; gives its chunks and the weight bytes of each. On
    /// an error the baton is given back.
    pub(crate) fn publish(mut self, inside: &Inside<'_>, stage: u32) -> Published<'a, T> {
        let claims = self.claims;
        let (_, flight) = self.parts();
        let (chunks, work) = match flight.stage(inside, stage) {
            Ok((0, _)) => return Err((EINVAL, self)),
            Ok(shape) => shape,
            Err(error) => return Err((error, self)),
        };
        if stage == 0 {
            claims.failed.store(false, Relaxed);
        }
        let (generation, _) = parts(claims.word.load(Relaxed));
        let generation = generation.wrapping_add(1);
        let next = claims.stage(generation);
        next.shape.store(join(stage, chunks), Relaxed);
        next.work.store(work, Relaxed);
        next.divisor.store(divisor(cpu::online()), Relaxed);
        claims.done.store(0, Relaxed);
        // The baton ends here; it comes back with the last chunk. Full: all above is seen by whoever
        // sees the new generation, and whoever slept before is seen by the caller.
        claims.word.xchg(join(generation, 0), Full);
        Ok((chunks, work))
    }

    /// Makes the baton free for anyone.
    pub(crate) fn release(self) {
        self.claims.baton.xchg(FREE, Full);
    }

    /// Puts the baton down where the step is, for whoever picks it up.
    pub(crate) fn put_down(self) {
        self.claims.baton.xchg(PUT_DOWN, Full);
    }
}
