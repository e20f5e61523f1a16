// SPDX-License-Identifier: GPL-2.0
//! A token bucket: a rate of tokens, of which those of a second at most are made up for.

use crate::sys::clock::SECOND;
use kernel::{
    prelude::*,
    sync::atomic::{Atomic, Relaxed}, //
};

/// When the next token is due at the earliest.
pub(crate) struct Bucket(Atomic<u64>);

impl Bucket {
    /// Full.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// A token has come, `interval` after which the next one is due. For the carrier alone.
    pub(crate) fn take(&self, interval: u64, now: u64) {
        let least = now.saturating_sub(SECOND);
        let due = self.0.load(Relaxed).max(least).saturating_add(interval);
        self.0.store(due, Relaxed);
    }

    /// Takes a token that is due: whether it was.
    pub(crate) fn try_take(&self, interval: u64, now: u64) -> bool {
        let least = now.saturating_sub(SECOND);
        let mut before = self.0.load(Relaxed);
        loop {
            let due = before.max(least).saturating_add(interval);
            if due > now {
                return false;
            }
            match self.0.cmpxchg(before, due, Relaxed) {
                Ok(_) => return true,
                Err(other) => before = other,
            }
        }
    }

    /// When the next token is due, if they come at an `interval` at all.
    pub(crate) fn due(&self, interval: u64) -> u64 {
        match interval {
            0 => 0,
            _ => self.0.load(Relaxed),
        }
    }
}

#[kunit_tests(sislm_bucket)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_a_second_are_made_up_for() {
        let bucket = Bucket::new();
        let now = 10 * SECOND;
        let mut count = 0;
        while bucket.due(SECOND / 4) <= now {
            bucket.take(SECOND / 4, now);
            count += 1;
        }
        assert_eq!(count, 5);
        assert_eq!(bucket.due(SECOND / 4), now + SECOND / 4);
        assert_eq!(bucket.due(0), 0);
    }

    #[test]
    fn those_that_are_due_are_taken() {
        let bucket = Bucket::new();
        let now = 10 * SECOND;
        let taken = (0..9).filter(|_| bucket.try_take(SECOND / 4, now)).count();
        assert_eq!(taken, 4);
        assert!(!bucket.try_take(SECOND / 4, now + SECOND / 4 - 1));
        assert!(bucket.try_take(SECOND / 4, now + SECOND / 4));
        assert!(!bucket.try_take(SECOND / 4, now + SECOND / 4));
    }
}
