// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of an alias' versions a file is given, as the module draws it (`module/models/draw.rs`).

use crate::uapi::SISLM_TARGETS_MAX;

/// The place of the version in the alias: of its generation, of the number of the file, and of the weights.
pub fn draw(generation: u64, session: u64, weights: [u32; SISLM_TARGETS_MAX as usize]) -> u32 {
    let all: u64 = weights.iter().copied().map(u64::from).sum();
    if all == 0 {
        return 0;
    }
    let hash = mix(mix(generation).wrapping_add(session)) >> 32;
    let mut left = (hash * all) >> 32;
    let mut slot = 0;
    for weight in weights.map(u64::from) {
        if left < weight {
            break;
        }
        left -= weight;
        slot += 1;
    }
    slot
}

/// Whether `permille` of 1,000 turns are compared with those of another version, and turn `turn` of the file of number
/// `session` is one of them. `generation`: as in the turn's record.
pub fn is_compared(generation: u64, session: u64, turn: u64, permille: u32) -> bool {
    let hash = mix(mix(mix(generation).wrapping_add(session)).wrapping_add(turn)) >> 32;
    (hash * 1000) >> 32 < u64::from(permille)
}

/// The step of splitmix64.
fn mix(number: u64) -> u64 {
    let mut hash = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Generation, number of the file, weights, place: the table of `module/models/draw.rs`.
    const TABLE: [(u64, u64, [u32; 4], u32); 12] = [
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

    /// Generation, numbers of the file and of the turn, and of how many in 1,000 it is not one yet.
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
            let compared = |permille| is_compared(generation, session, turn, permille);
            assert!(!compared(least) && compared(least + 1));
        }
    }

    #[test]
    fn the_table_of_the_module_holds() {
        for (generation, session, weights, slot) in TABLE {
            assert_eq!(draw(generation, session, weights), slot);
        }
    }

    #[test]
    fn both_sides_have_one_table() {
        let module = include_str!("../../module/models/draw.rs");
        for first in ["(1, 1, [1,", "(1, 1, 1, 474)"] {
            let table = |text: &str| {
                let from = text.find(first).unwrap();
                let to = from + text[from..].find("];").unwrap();
                text[from..to].split_whitespace().collect::<String>()
            };
            assert_eq!(table(module), table(include_str!("draw.rs")));
        }
    }
}
