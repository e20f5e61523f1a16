// SPDX-License-Identifier: GPL-2.0
//! The scales and minima of four rows in vectors.

use super::Group;
use crate::simd::neon::load;
use core::arch::aarch64::*;

/// Bytes of four rows, those of four parts each.
pub(super) type Four = [uint8x16_t; 2];

/// The thirds of four rows.
#[inline]
#[target_feature(enable = "neon")]
fn thirds(group: &Group, four: usize) -> [uint8x16_t; 3] {
    group
        .scales
        .each_ref()
        .map(|third| vreinterpretq_u8_s8(load(&third[four % 4])))
}

/// The scales of four rows.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn scales(group: &Group, four: usize) -> Four {
    let [first, _, rest] = thirds(group, four);
    [
        vandq_u8(first, vdupq_n_u8(63)),
        vsliq_n_u8::<4>(rest, vshrq_n_u8::<6>(first)),
    ]
}

/// The scales of four rows and of four more by part.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn by_part(fours: [Four; 2]) -> [[int32x4_t; 2]; 8] {
    let of = |part: usize| {
        fours.map(|four| vreinterpretq_s32_u8(vqtbl1q_u8(four[part / 4 % 2], select(part % 4))))
    };
    [0, 1, 2, 3, 4, 5, 6, 7].map(of)
}

/// The minima of four rows.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn minima(group: &Group, four: usize) -> Four {
    let [_, second, rest] = thirds(group, four);
    let top = vshrq_n_u8::<2>(second);
    [vandq_u8(second, vdupq_n_u8(63)), vsriq_n_u8::<4>(top, rest)]
}

/// The indices that select byte `index` of each row, and zeros, which are past the end.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn select(index: usize) -> uint8x16_t {
    let rows = vcombine_u32(vcreate_u32(4 << 32), vcreate_u32(12 << 32 | 8));
    // CAST: Below 16.
    #[expect(clippy::cast_possible_truncation)]
    let index = vdupq_n_u32(0xffff_ff00 | index as u32);
    vreinterpretq_u8_u32(vaddq_u32(rows, index))
}

/// The indices that select byte `index` of each row of a pair, twice, and zeros.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn select_of_pair(index: usize) -> uint8x16_t {
    let rows = vcombine_u32(vcreate_u32(0), vcreate_u32(8 << 32 | 8));
    // CAST: Below 16.
    #[expect(clippy::cast_possible_truncation)]
    let index = vdupq_n_u32(0xffff_ff00 | index as u32);
    vreinterpretq_u8_u32(vaddq_u32(rows, index))
}
