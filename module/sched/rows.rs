// SPDX-License-Identifier: GPL-2.0
//! The rows of a step, divided among its turns.
//!
//! A turn that decodes has one row. What is left is for prompts: a row at a time for the domain that
//! has the fewest, level by level, and there for the turn that has. Beside turns that decode or wait
//! it is only as much as takes about `step_ms`.

use crate::{
    sys::flight::{LOGITS_MAX, ROWS_MAX},
    turn::Demand,
    users::{Path, LEVELS}, //
};
use kernel::prelude::*;

/// Rows of a prompt that are computed in any case.
const PROMPT_ROWS_LEAST: u32 = 4;

/// A turn of the step.
#[derive(Clone, Copy)]
pub(super) struct Share {
    /// What it can use.
    pub(super) demand: Demand,
    /// Its domain.
    pub(super) domain: Path,
    /// Rows that it gets.
    pub(super) rows: u32,
}

impl Share {
    /// Of no turn.
    pub(super) const NONE: Self = Self {
        demand: Demand::NONE,
        domain: [0; _],
        rows: 0,
    };

    fn wants_more(&self, places: u32) -> bool {
        self.rows < self.demand.rows && (places > 0 || !self.demand.all_logits)
    }
}

/// Sets the rows that each turn gets. `crowded`: other turns wait for the end of the step, and beside
/// them or turns that decode, prompts get about `prompt_rows`.
pub(super) fn divide(shares: &mut [Share], prompt_rows: u32, crowded: bool) {
    // CAST: At most LOGITS_MAX.
    let count = shares.len() as u32;
    let mut places = LOGITS_MAX.saturating_sub(count);
    let mut left = ROWS_MAX.saturating_sub(count);
    if crowded || shares.iter().any(|share| share.demand.rows == 1) {
        left = left.min(prompt_rows.max(PROMPT_ROWS_LEAST).saturating_sub(1));
    }
    for share in shares.iter_mut() {
        share.rows = share.demand.rows.min(1);
    }
    for _ in 0..left {
        let Some(taker) = next(shares, places) else {
            return;
        };
        if let Some(share) = shares.get_mut(taker) {
            share.rows = share.rows.saturating_add(1);
            places = places.saturating_sub(u32::from(share.demand.all_logits));
        }
    }
}

/// Who gets the next row: the first of those with the fewest.
fn next(shares: &[Share], places: u32) -> Option<usize> {
    let takers = shares.iter().enumerate();
    let takers = takers.filter(|(_, share)| share.wants_more(places));
    let (place, _) = takers.min_by_key(|(_, share)| rank(shares, share))?;
    Some(place)
}

/// Rows beyond the first ones of a share's domain, at each level, and its own.
fn rank(shares: &[Share], of: &Share) -> ([u32; LEVELS], u32) {
    let mut sums = [0u32; LEVELS];
    for share in shares {
        let same = share.domain.iter().zip(&of.domain);
        let same = same.take_while(|(one, other)| one == other).count();
        for sum in sums.iter_mut().take(same) {
            *sum = sum.saturating_add(share.rows.saturating_sub(1));
        }
    }
    (sums, of.rows)
}

#[kunit_tests(sislm_rows)]
mod tests {
    use super::*;

    fn of_domains<const N: usize>(rows: [(u32, Path); N], all_logits: bool) -> [Share; N] {
        rows.map(|(rows, domain)| Share {
            demand: Demand { rows, all_logits },
            domain,
            rows: 0,
        })
    }

    fn shares<const N: usize>(rows: [u32; N], all_logits: bool, prompt_rows: u32) -> [u32; N] {
        let mut shares = of_domains(rows.map(|rows| (rows, [0; LEVELS])), all_logits);
        divide(&mut shares, prompt_rows, false);
        shares.map(|share| share.rows)
    }

    #[test]
    fn prompts_share_what_decoding_leaves() {
        assert_eq!(shares([1000], false, 8), [64]);
        assert_eq!(shares([1000, 1000], false, 8), [32, 32]);
        assert_eq!(shares([2, 1000, 1000], false, 8), [2, 31, 31]);
        assert_eq!(shares([1; 8], false, 8), [1; 8]);
        assert_eq!(shares([1, 1000], false, u32::MAX), [1, 63]);
    }

    #[test]
    fn a_prompt_beside_answers_is_bounded() {
        assert_eq!(shares([1, 1000], false, 16), [1, 16]);
        assert_eq!(shares([1, 1000, 1], false, 0), [1, 4, 1]);
        assert_eq!(shares([1000, 1, 1000], false, 9), [5, 1, 5]);
    }

    #[test]
    fn a_prompt_is_bounded_while_others_wait() {
        let mut shares = of_domains([(1000, [0; LEVELS])], false);
        divide(&mut shares, 16, true);
        assert_eq!(shares[0].rows, 16);
    }

    #[test]
    fn logits_have_places() {
        assert_eq!(shares([1000], true, 8), [8]);
        assert_eq!(shares([1000, 1000, 1000], true, 8), [3, 3, 2]);
    }

    #[test]
    fn domains_come_before_their_turns() {
        let one = [1, 0, 0, 0];
        let others = [[2, 0, 0, 0], [2, 0, 0, 0], [2, 9, 0, 0], [2, 9, 5, 0]];
        let rows = [one, others[0], others[1], others[2], others[3]];
        let mut shares = of_domains(rows.map(|domain| (1000, domain)), false);
        divide(&mut shares, 8, false);
        // 59 beyond the first ones: half for each user, and of the second half of it for each namespace.
        assert_eq!(shares.map(|share| share.rows), [30, 9, 8, 9, 8]);
    }
}
