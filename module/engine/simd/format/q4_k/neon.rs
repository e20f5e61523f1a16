// SPDX-License-Identifier: GPL-2.0
//! Q4_K with SMLAL: 4 weights of 2 row pairs at a time, summed over a part in 16 bits as in Q4_0.

use super::loops::q4_k_loops;
use super::scales::select;
use crate::simd::activation::WidePart;
use crate::simd::neon::{broadcast, load_i32};
use core::arch::aarch64::*;

/// Upper and lower rows of the pairs.
type Weights = [[int8x16_t; 2]; 8];

#[inline]
#[target_feature(enable = "neon")]
fn prepare(pairs: &[[[u8; 4]; 4]; 8]) -> Weights {
    pairs.each_ref().map(|chunk| {
        let pairs = load(chunk);
        [vshrq_n_s8::<4>(pairs), vandq_s8(pairs, vdupq_n_s8(15))]
    })
}

/// Adds the dot products of 8 rows with a part times their scales to `quanta`.
#[inline]
#[target_feature(enable = "neon")]
fn add_dots(
    quanta: &mut [int32x4_t; 2],
    weights: &Weights,
    scales: [int32x4_t; 2],
    part: &WidePart,
) {
    let mut sums = [[vdupq_n_s16(0); 2]; 2];
    for (rows, a) in weights.iter().zip(broadcast(&part.values)) {
        for (sums, quanta) in sums.iter_mut().zip(rows) {
            sums[0] = vmlal_s8(sums[0], vget_low_s8(*quanta), vget_low_s8(a));
            sums[1] = vmlal_high_s8(sums[1], *quanta, a);
        }
    }
    let [upper, lower] = sums.map(|[low, high]| vpaddlq_s16(vpaddq_s16(low, high)));
    // The upper rows lack 8 each: 16 * 8 * sum makes up for it.
    let start = load_i32(&part.start[0]);
    let upper = vaddq_s32(start, vshlq_n_s32::<4>(upper));
    quanta[0] = vmlaq_s32(quanta[0], upper, scales[0]);
    quanta[1] = vmlaq_s32(quanta[1], lower, scales[1]);
}

#[inline]
#[target_feature(enable = "neon")]
fn dots<const I: usize>(
    quanta: &mut [int32x4_t; 2],
    weights: &Weights,
    scales: [int32x4_t; 2],
    parts: &[WidePart; 2],
) {
    add_dots(quanta, weights, scales, &parts[I % 2]);
}

#[inline]
#[target_feature(enable = "neon")]
fn part<const PART: usize>(
    quanta: &mut [int32x4_t; 4],
    scales: [uint8x16_t; 4],
    group: &Group,
    activation: &WideBlock,
) {
    let scales = scales.map(|four| vreinterpretq_s32_u8(vqtbl1q_u8(four, select(PART % 4))));
    let ((quanta, _), (scales, _)) = (quanta.as_chunks_mut(), scales.as_chunks());
    let part = &activation.parts[PART % 8];
    let pairs = group.pairs[PART % 8].iter().zip(scales);
    for (quanta, (pairs, scales)) in quanta.iter_mut().zip(pairs) {
        add_dots(quanta, &prepare(pairs), *scales, part);
    }
}

/// A lane of 16 bits takes two products, at most 2 * 63 * 127, and twice that after the pairwise
/// addition, which is less than 2^15.
#[inline]
#[target_feature(enable = "neon")]
fn less_minima(minima: [uint8x16_t; 2], sums: int8x16_t) -> int32x4_t {
    let [first, second] = minima.map(|minima| vreinterpretq_s8_u8(minima));
    let sums = vreinterpretq_s32_s8(sums);
    let dot = |sums: [int32x4_t; 2]| {
        let [a, b] = sums.map(|sums| vreinterpretq_s8_s32(sums));
        let low = vmull_s8(vget_low_s8(first), vget_low_s8(a));
        let low = vmlal_s8(low, vget_low_s8(second), vget_low_s8(b));
        let high = vmlal_high_s8(vmull_high_s8(first, a), second, b);
        vpaddlq_s16(vpaddq_s16(low, high))
    };
    let upper = dot([vdupq_laneq_s32::<0>(sums), vdupq_laneq_s32::<1>(sums)]);
    let lower = dot([vdupq_laneq_s32::<2>(sums), vdupq_laneq_s32::<3>(sums)]);
    vaddq_s32(vshlq_n_s32::<7>(upper), lower)
}

q4_k_loops!("neon");
