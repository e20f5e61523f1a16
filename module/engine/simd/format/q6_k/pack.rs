// SPDX-License-Identifier: GPL-2.0
//! Interleaving by transposition.

use super::{File, Group};
use crate::simd::group::GROUP_ROWS;
use crate::simd::neon::{load, transpose};
use core::arch::aarch64::*;

/// Scales and quanta of a group, as decoding makes them.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn interleave_rows(rows: &[&File; GROUP_ROWS], group: &mut Group) {
    interleave_scales(rows, group);
    let (fours, _) = rows.as_chunks::<4>();
    let (parts, _) = group.quanta.as_chunks_mut::<4>();
    for (part, chunks) in parts.iter_mut().enumerate() {
        let of = |four: usize| transpose(fours[four % 4].map(|row| quanta(row, part)));
        let [a, b, c, d] = [of(0), of(1), of(2), of(3)];
        for (j, thirds) in chunks.iter_mut().enumerate() {
            let bytes = [
                vsliq_n_u8::<2>(d[j], a[j]),
                vsliq_n_u8::<2>(vshrq_n_u8::<2>(d[j]), b[j]),
                vsliq_n_u8::<2>(vshrq_n_u8::<4>(d[j]), c[j]),
            ];
            for (third, bytes) in thirds.iter_mut().zip(bytes) {
                // SAFETY: `third` has the 16 bytes that are written.
                unsafe { vst1q_u8(third.as_mut_ptr().cast(), bytes) };
            }
        }
    }
}

/// The quanta of a part of 16 less 32, in the lower 6 bits.
#[inline]
#[target_feature(enable = "neon")]
fn quanta(row: &File, part: usize) -> int8x16_t {
    let (n, quarter, i) = (part / 8 % 2, part / 2 % 4, part % 2);
    let lower = &row.lower[n].as_chunks::<16>().0[quarter % 2 * 2 + i];
    let upper = &row.upper[n].as_chunks::<16>().0[i];
    let [lower, upper] = [lower, upper].map(|bytes| vreinterpretq_u8_s8(load(bytes)));
    // CAST: Below 4.
    #[expect(clippy::cast_possible_truncation)]
    let quarter = quarter as i8;
    let lower = vshlq_u8(lower, vdupq_n_s8(-4 * (quarter / 2)));
    let upper = vshlq_u8(upper, vdupq_n_s8(4 - 2 * quarter));
    let both = vbslq_u8(vdupq_n_u8(15), lower, vandq_u8(upper, vdupq_n_u8(0x30)));
    vreinterpretq_s8_u8(veorq_u8(both, vdupq_n_u8(32)))
}

/// Four perfect shuffles transpose 16 x 16 bytes.
#[inline]
#[target_feature(enable = "neon")]
fn interleave_scales(rows: &[&File; GROUP_ROWS], group: &mut Group) {
    let mut lines = rows.map(|row| load(&row.scales));
    for _ in 0..4 {
        lines = core::array::from_fn(|i| {
            let (a, b) = (lines[i / 2], lines[i / 2 + 8]);
            if i % 2 == 0 {
                vzip1q_s8(a, b)
            } else {
                vzip2q_s8(a, b)
            }
        });
    }
    for (out, line) in group.scales.iter_mut().zip(lines) {
        // SAFETY: `out` has the 16 bytes that are written.
        unsafe { vst1q_s8(out.as_mut_ptr(), line) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::Q6K;
    use super::*;
    use crate::simd::codec;
    use crate::simd::finite::Finite;
    use crate::simd::plain::{view, zeroed};
    use crate::simd::testing::Random;

    #[test]
    fn equals_decoding() {
        let mut random = Random(9);
        for _ in 0..200 {
            let mut bytes: Vec<u8> = (0..16 * 210).map(|_| random.next() as u8).collect();
            for block in bytes.chunks_mut(210) {
                let finite = <Q6K as codec::Codec>::FINITE;
                finite.iter().for_each(|number: &Finite| number.tame(block));
            }
            let files: &[File] = view(&bytes);
            let rows = core::array::from_fn(|lane| &files[lane]);
            let (mut decoded, mut vectors) = (zeroed::<Group>(), zeroed::<Group>());
            let decoded = core::slice::from_mut(&mut decoded);
            codec::interleave::<Q6K>(&rows.map(Some), decoded).unwrap();
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { interleave_rows(&rows, &mut vectors) };
            assert_eq!(vectors.scales, decoded[0].scales);
            assert_eq!(vectors.quanta, decoded[0].quanta);
        }
    }
}
