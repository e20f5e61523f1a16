// SPDX-License-Identifier: GPL-2.0
//! Interleaving by transposition, which every 64-bit Arm CPU does in vectors.

use super::{File, Group};
use crate::simd::group::GROUP_ROWS;
use crate::simd::neon::{load, transpose};
use core::arch::aarch64::*;

/// The pairs of a group, as decoding makes them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn interleave_pairs(rows: &[&File; GROUP_ROWS], group: &mut Group) {
    let (halves, _) = rows.as_chunks::<8>();
    let [low, high] = &mut group.pairs;
    for (rows, (low, high)) in halves.iter().zip(low.iter_mut().zip(high)) {
        let [a0, a1, a2, a3, b0, b1, b2, b3] = *rows;
        let quanta = |row: &File| load(&row.quanta);
        let above = transpose([a0, a1, a2, a3].map(quanta));
        let below = transpose([b0, b1, b2, b3].map(quanta));
        for (j, (low, high)) in low.iter_mut().zip(high).enumerate() {
            // The upper row's quanta less 8, as two's complement numbers.
            let above = veorq_u8(above[j], vdupq_n_u8(0x88));
            let pairs = [
                vsliq_n_u8::<4>(below[j], above),
                vsriq_n_u8::<4>(above, below[j]),
            ];
            for (out, pairs) in [low, high].into_iter().zip(pairs) {
                // SAFETY: `out` has the 16 bytes that are written.
                unsafe { vst1q_u8(core::ptr::from_mut(out).cast(), pairs) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Q4_0;
    use super::*;
    use crate::simd::codec;
    use crate::simd::finite::Finite;
    use crate::simd::plain::{view, zeroed};
    use crate::simd::testing::Random;

    #[test]
    fn equals_decoding() {
        let mut random = Random(9);
        for _ in 0..200 {
            let mut bytes: Vec<u8> = (0..16 * 18).map(|_| random.next() as u8).collect();
            for block in bytes.chunks_mut(18) {
                let finite = <Q4_0 as codec::Codec>::FINITE;
                finite.iter().for_each(|number: &Finite| number.tame(block));
            }
            let files: &[File] = view(&bytes);
            let rows = core::array::from_fn(|lane| &files[lane]);
            let (mut decoded, mut vectors) = (zeroed::<Group>(), zeroed::<Group>());
            let decoded = core::slice::from_mut(&mut decoded);
            codec::interleave::<Q4_0>(&rows.map(Some), decoded).unwrap();
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { interleave_pairs(&rows, &mut vectors) };
            assert_eq!(vectors.pairs, decoded[0].pairs);
        }
    }
}
