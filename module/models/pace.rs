// SPDX-License-Identifier: GPL-2.0
//! How long the steps of a workspace take, and from that: how many rows of a prompt fit a time, and
//! whether helpers are worth waking.
//!
//! Helpers do harm where a model is small or the CPUs have other things to do: a helper that does
//! not run holds its chunk. So both ways are measured. Since both change with the load of the machine,
//! the worse one is tried again when the better has taken [`PROBE`] times as long.

use kernel::prelude::*;

/// Rows of a step from which on it is a prompt's: its weights are read for many rows, and helpers
/// are always worth waking.
const PROMPT_ROWS: u32 = 16;
/// Time of a probe to the time between two.
const PROBE: u64 = 64;

/// Times of steps, nanoseconds of a row; 0 when not known.
pub(crate) struct Pace {
    prompt: u64,
    alone: u64,
    helped: u64,
    /// Time in the better way since the other was tried.
    since: u64,
}

impl Pace {
    /// Nothing is known.
    pub(crate) const fn new() -> Self {
        Self {
            prompt: 0,
            alone: 0,
            helped: 0,
            since: 0,
        }
    }

    /// Rows of a prompt that take about `ns`. Before a prompt is known, by steps of fewer rows: twice
    /// as many, since a row takes less the more there are; none without any.
    pub(crate) fn prompt_rows(&self, ns: u64) -> u32 {
        let rows = ns.checked_div(self.prompt).unwrap_or_else(|| {
            let few = self.alone.max(self.helped);
            ns.checked_div(few).map_or(0, |rows| rows.saturating_mul(2))
        });
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Of a row of a prompt, and of a token; 0 when not known.
    pub(crate) fn times(&self) -> (u64, u64) {
        let token = match (self.alone, self.helped) {
            (0, other) | (other, 0) => other,
            (alone, helped) => alone.min(helped),
        };
        // A row takes less the more there are: before a prompt is known, half of a token's.
        let prompt = match self.prompt {
            0 => token / 2,
            known => known,
        };
        (prompt, token)
    }

    /// Whether helpers should be woken for the next step, of `rows` rows.
    pub(crate) fn wakes(&self, rows: u32) -> bool {
        if rows >= PROMPT_ROWS || self.helped == 0 {
            return true;
        }
        let better = self.helped_is_better();
        let other = if better && self.alone != 0 {
            self.alone
        } else {
            self.helped
        };
        let probe = self.since >= other.saturating_mul(u64::from(rows)).saturating_mul(PROBE);
        better != probe
    }

    /// Whether steps with few rows are faster with helpers, as they are until the first probe.
    fn helped_is_better(&self) -> bool {
        self.alone == 0 || self.helped < self.alone
    }

    /// Notes that a step of `rows` rows has taken `ns`; `woke`: helpers were woken.
    pub(crate) fn note(&mut self, ns: u64, rows: u32, woke: bool) {
        let row = ns.checked_div(u64::from(rows)).unwrap_or(0).max(1);
        if rows >= PROMPT_ROWS {
            settle(&mut self.prompt, row);
            return;
        }
        self.since = if woke == self.helped_is_better() {
            self.since.saturating_add(ns)
        } else {
            0
        };
        settle(
            if woke {
                &mut self.helped
            } else {
                &mut self.alone
            },
            row,
        );
    }
}

/// Moves a mean by a quarter of the way.
fn settle(mean: &mut u64, now: u64) {
    *mean = match *mean {
        0 => now,
        before => before.saturating_mul(3).saturating_add(now) >> 2,
    };
}

#[kunit_tests(sislm_pace)]
mod tests {
    use super::*;

    /// Steps of one row, of which so many are made with helpers.
    fn helped_of(pace: &mut Pace, steps: u32, alone: u64, helped: u64) -> u32 {
        let mut count = 0;
        for _ in 0..steps {
            let wakes = pace.wakes(1);
            pace.note(if wakes { helped } else { alone }, 1, wakes);
            count += u32::from(wakes);
        }
        count
    }

    #[test]
    fn the_faster_way_is_taken_and_the_other_tried() {
        let mut pace = Pace::new();
        assert!((960..996).contains(&helped_of(&mut pace, 1000, 1000, 900)));
        assert!((4..40).contains(&helped_of(&mut pace, 1000, 900, 1000)));
        assert!((960..996).contains(&helped_of(&mut pace, 1000, 1000, 900)));
    }

    #[test]
    fn a_probe_is_as_rare_as_it_is_slow() {
        let mut pace = Pace::new();
        let steps = 10_000;
        let alone = steps - helped_of(&mut pace, steps, 8000, 1000);
        assert!((10..30).contains(&alone));
    }

    #[test]
    fn a_first_prompt_is_bounded_by_what_is_known() {
        let mut pace = Pace::new();
        assert_eq!(pace.prompt_rows(1000), 0);
        pace.note(1000, 4, true);
        assert_eq!(pace.prompt_rows(1000), 8);
        pace.note(160, 8, true);
        assert!(pace.prompt_rows(1000) > 8);
    }

    #[test]
    fn prompts_are_measured_apart() {
        let mut pace = Pace::new();
        assert_eq!(pace.prompt_rows(1000), 0);
        pace.note(6400, 64, true);
        assert_eq!(pace.prompt_rows(1000), 10);
        assert!(pace.wakes(1) && pace.wakes(64));
        assert_eq!(helped_of(&mut pace, 64, 10, 10), 64);
        assert!(!pace.wakes(1) && pace.wakes(64));
        assert_eq!(pace.prompt_rows(1000), 10);
    }
}
