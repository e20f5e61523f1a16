// SPDX-License-Identifier: GPL-2.0
//! Which of an alias' versions a file is given: a function of what records tell, so that anybody can repeat it.
//!
//! `client/src/draw.rs` is the same for programs; both are held to one table of values.

use crate::sys::uapi::{Record, TARGETS};
use kernel::prelude::*;

/// What a draw is made by, beside the number of the file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Draw {
    /// Of the alias; 0 where none was asked for.
    pub(crate) generation: u64,
    /// Those of its versions, then zeroes.
    pub(crate) weights: [u32; TARGETS],
}

impl Draw {
    /// The version, by its place in the alias, of the file of number `session`.
    pub(crate) fn slot(&self, session: u64) -> u32 {
        let all = self
            .weights
            .iter()
            .fold(0u64, |all, weight| all.saturating_add(u64::from(*weight)));
        // The upper half of the hash as a fraction of all weights: these are below 2 to the power of 22.
        let hash = mix(mix(self.generation).wrapping_add(session)) >> 32;
        let mut left = hash.saturating_mul(all) >> 32;
        let mut slot = 0u32;
        for weight in &self.weights {
            match left.checked_sub(u64::from(*weight)) {
                None => break,
                Some(rest) => left = rest,
            }
            slot = slot.saturating_add(1);
        }
        // Without weights there is nothing to draw.
        if all == 0 {
            0
        } else {
            slot
        }
    }

    /// Whether `permille` of 1,000 turns are compared with a shadow's, and turn `turn` of the file of number `session` is
    /// one of them.
    pub(crate) fn is_compared(&self, session: u64, turn: u64, permille: u32) -> bool {
        let hash = mix(mix(mix(self.generation).wrapping_add(session)).wrapping_add(turn)) >> 32;
        hash.saturating_mul(1000) >> 32 < u64::from(permille)
    }

    /// Writes it into the record of a turn, which says whose it was.
    pub(crate) fn tell(&self, record: &mut Record, session: u64) {
        record.generation = self.generation;
        record.weights = self.weights;
        record.slot = self.slot(session);
    }
}

/// The step of splitmix64: each bit of the number changes half of those of the hash.
fn mix(number: u64) -> u64 {
    let mut hash = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[kunit_tests(sislm_draw)]
mod tests {
    use super::*;

    /// Generation, number of the file, weights, place: the table of `client/src/draw.rs`.
    const TABLE: [(u64, u64, [u32; TARGETS], u32); 12] = [
        (1, 1, [1, 0, 0, 0], 0),
        (2, 1, [90, 10, 0, 0], 0),
        (2, 2, [90, 10, 0, 0], 0),
        (2, 18, [90, 10, 0, 0], 1),
        (3, 1, [1, 1, 1, 1], 2),
        (3, 2, [1, 1, 1, 1], 0),
        (3, 3, [1, 1, 1, 1], 0),
        (3, 4, [1, 1, 1, 1], 0),
        (
            u64::MAX,
            u64::MAX,
            [1_000_000, 1_000_000, 1_000_000, 1_000_000],
            1,
        ),
        (5, 99, [1, 2, 3, 0], 1),
        (7, 5, [1_000_000, 1, 0, 0], 0),
        (0, 9, [0, 0, 0, 0], 0),
    ];

    /// Generation, numbers of the file and of the turn, and of how many in 1,000 it is not one yet: in `client/src/draw.rs` too.
    const COMPARED: [(u64, u64, u64, u32); 8] = [
        (1, 1, 1, 474),
        (1, 1, 2, 582),
        (1, 2, 1, 50),
        (2, 1, 1, 768),
        (7, 300, 4, 660),
        (0, 0, 0, 138),
        (u64::MAX, u64::MAX, u64::MAX, 252),
        (9, 99, 3, 442),
    ];

    #[test]
    fn comparisons_are_those_of_the_table() {
        for (generation, session, turn, least) in COMPARED {
            let draw = Draw {
                generation,
                ..Draw::default()
            };
            let is_compared = |permille| draw.is_compared(session, turn, permille);
            assert!(!is_compared(least) && is_compared(least + 1));
        }
    }

    #[test]
    fn the_table_holds() {
        for (generation, session, weights, slot) in TABLE {
            let draw = Draw {
                generation,
                weights,
            };
            assert_eq!(draw.slot(session), slot);
        }
    }

    #[test]
    fn weights_are_kept_to() {
        let draw = Draw {
            generation: 5,
            weights: [90, 10, 0, 0],
        };
        let second = (1..=2000)
            .filter(|session| draw.slot(*session) == 1)
            .count();
        // Of the binomial distribution, 99.9 % are within 157 and 245.
        assert!((157..=245).contains(&second));
    }
}
