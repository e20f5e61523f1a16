// SPDX-License-Identifier: GPL-2.0
//! Interleaving by transposition, as that of Q4_0.

use super::{File, Group};
use crate::simd::group::GROUP_ROWS;
use crate::simd::neon::{load, transpose};
use core::arch::aarch64::*;

/// Scales, minima and pairs of a group, as decoding makes them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn interleave_rows(rows: &[&File; GROUP_ROWS], group: &mut Group) {
    let (fours, _) = rows.as_chunks::<4>();
    for (four, rows) in fours.iter().enumerate() {
        let heads = transpose(rows.map(|row| head(row)));
        for (scales, thirds) in group.scales.iter_mut().zip(&heads[1..]) {
            put(&mut scales[four % 4], *thirds);
        }
    }
    let (halves, _) = rows.as_chunks::<8>();
    for (half, rows) in halves.iter().enumerate() {
        let [a0, a1, a2, a3, b0, b1, b2, b3] = *rows;
        let (parts, _) = group.pairs.as_chunks_mut::<2>();
        for (n, [low, high]) in parts.iter_mut().enumerate() {
            for eighth in 0..2 {
                let of = |row: &File| load(&row.quanta[n % 4].as_chunks::<4>().0[eighth]);
                let above = transpose([of(a0), of(a1), of(a2), of(a3)]);
                let below = transpose([of(b0), of(b1), of(b2), of(b3)]);
                for (j, (above, below)) in above.into_iter().zip(below).enumerate() {
                    let j = (4 * eighth + j) % 8;
                    // The upper row's quanta less 8, as two's complement numbers.
                    let above = veorq_u8(above, vdupq_n_u8(0x88));
                    put(&mut low[half % 2][j], vsliq_n_u8::<4>(below, above));
                    put(&mut high[half % 2][j], vsriq_n_u8::<4>(above, below));
                }
            }
        }
    }
}

/// The scales of the block, then the thirds.
#[inline]
#[target_feature(enable = "neon")]
fn head(row: &File) -> int8x16_t {
    const { assert!(core::mem::offset_of!(File, quanta) == 16) };
    // SAFETY: a block has more than the 16 bytes that are read.
    unsafe { vld1q_s8(core::ptr::from_ref(row).cast()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn put(out: &mut [[u8; 4]; 4], value: uint8x16_t) {
    // SAFETY: `out` has the 16 bytes that are written.
    unsafe { vst1q_u8(out.as_mut_ptr().cast(), value) }
}

#[cfg(test)]
mod tests {
    use super::super::Q4K;
    use super::*;
    use crate::simd::codec;
    use crate::simd::finite::Finite;
    use crate::simd::plain::{view, zeroed};
    use crate::simd::testing::Random;

    #[test]
    fn equals_decoding() {
        let mut random = Random(9);
        for _ in 0..200 {
            let mut bytes: Vec<u8> = (0..16 * 144).map(|_| random.next() as u8).collect();
            for block in bytes.chunks_mut(144) {
                let finite = <Q4K as codec::Codec>::FINITE;
                finite.iter().for_each(|number: &Finite| number.tame(block));
            }
            let files: &[File] = view(&bytes);
            let rows = core::array::from_fn(|lane| &files[lane]);
            let (mut decoded, mut vectors) = (zeroed::<Group>(), zeroed::<Group>());
            let decoded = core::slice::from_mut(&mut decoded);
            codec::interleave::<Q4K>(&rows.map(Some), decoded).unwrap();
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { interleave_rows(&rows, &mut vectors) };
            assert_eq!(vectors.scales, decoded[0].scales);
            assert_eq!(vectors.pairs, decoded[0].pairs);
        }
    }
}
