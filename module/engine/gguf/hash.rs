// SPDX-License-Identifier: GPL-2.0
//! The hash of the open-addressed tables of names.
//!
//! It has no secret: whoever makes a file can make names that collide. So every table caps the
//! length of a probe at [`PROBES`] and refuses the file beyond it, and no look-up costs more.

/// Most slots looked at for one name. At the load of at most one half that the tables keep, chance
/// does not come near it.
pub(crate) const PROBES: usize = 128;

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Folds one word into the state: the multiply-and-fold step of wyhash.
// CAST: The lower half of the product.
#[expect(clippy::cast_possible_truncation)]
fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word).wrapping_mul(u128::from(MULTIPLIER));
    (product as u64) ^ ((product >> 64) as u64)
}

/// A hash of `bytes` and `seed`.
pub(crate) fn hash(bytes: &[u8], seed: u64) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut state = mix(seed, bytes.len() as u64);
    for &word in words {
        state = mix(state.rotate_left(23), u64::from_le_bytes(word));
    }
    let last = tail
        .iter()
        .fold(1u64, |last, &byte| last << 8 | u64::from(byte));
    mix(state.rotate_left(23), last)
}

/// The slots to look at for a hash in a table of `slots` (a power of two), in order.
pub(crate) fn probes(hash: u64, slots: usize) -> impl Iterator<Item = usize> {
    let mask = slots.wrapping_sub(1);
    let first = (hash >> 32) as usize;
    (0..PROBES.min(slots)).map(move |step| first.wrapping_add(step) & mask)
}

/// Slots of a table for `count` names: a power of two, at least twice as many.
pub(crate) fn slots(count: u32) -> u64 {
    (u64::from(count).max(1) << 1).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_and_byte_counts() {
        let zeros = [0u8; 40];
        let mut seen = std::collections::HashSet::new();
        for length in 0..=40 {
            assert!(seen.insert(hash(&zeros[..length], 0)));
        }
        for at in 0..40 {
            let mut bytes = zeros;
            bytes[at] = 1;
            assert!(seen.insert(hash(&bytes, 0)));
        }
        assert_ne!(hash(b"token", 0), hash(b"token", 1));
    }

    #[test]
    fn a_table_at_most_half_full_needs_few_probes() {
        let mut table = vec![false; slots(50_000) as usize];
        let mut longest = 0;
        for number in 0..50_000u32 {
            let name = format!("blk.{number}.weight");
            let (steps, slot) = probes(hash(name.as_bytes(), 0), table.len())
                .enumerate()
                .find(|&(_, slot)| !table[slot])
                .expect("a free slot");
            table[slot] = true;
            longest = longest.max(steps);
        }
        assert!(longest < PROBES / 2, "{longest}");
    }
}
