// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SMLAL: 4 weights of 2 rows at a time.
//!
//! A lane of 16 bits takes four products, at most 4 * 32 * 127, and twice that after the pairwise
//! addition, which is less than 2^15.

use super::loops::q6_k_loops;
use crate::simd::activation::WidePart;
use core::arch::aarch64::*;

/// The weights themselves.
#[inline]
#[target_feature(enable = "neon")]
fn upper(bytes: int8x16_t) -> int8x16_t {
    vshrq_n_s8::<2>(bytes)
}

#[inline]
#[target_feature(enable = "neon")]
fn to_f32(quanta: int32x4_t) -> float32x4_t {
    vcvtq_f32_s32(quanta)
}

/// Adds the dot products of 8 rows with 16 values times their scales to `quanta`.
#[inline]
#[target_feature(enable = "neon")]
fn add_dots(
    quanta: &mut [int32x4_t; 2],
    weights: &Weights,
    scales: [int32x4_t; 2],
    values: &[i8; 16],
) {
    let a = vreinterpretq_s32_s8(load(values));
    let [a0, a1, a2, a3] = [
        vdupq_laneq_s32::<0>(a),
        vdupq_laneq_s32::<1>(a),
        vdupq_laneq_s32::<2>(a),
        vdupq_laneq_s32::<3>(a),
    ]
    .map(|chunk| vreinterpretq_s8_s32(chunk));
    for (quanta, (weights, scales)) in quanta.iter_mut().zip(weights.iter().zip(scales)) {
        let mut low = vmull_s8(vget_low_s8(weights[0]), vget_low_s8(a0));
        let mut high = vmull_high_s8(weights[0], a0);
        for (weights, a) in weights[1..].iter().zip([a1, a2, a3]) {
            low = vmlal_s8(low, vget_low_s8(*weights), vget_low_s8(a));
            high = vmlal_high_s8(high, *weights, a);
        }
        *quanta = vmlaq_s32(*quanta, vpaddlq_s16(vpaddq_s16(low, high)), scales);
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn dots<const I: usize>(
    quanta: &mut [int32x4_t; 2],
    weights: &Weights,
    scales: [int32x4_t; 2],
    part: &WidePart,
    _: &WideBlock,
) {
    add_dots(quanta, weights, scales, &part.values[I % 2]);
}

#[inline]
#[target_feature(enable = "neon")]
fn part<const PART: usize>(quanta: &mut [int32x4_t; 4], group: &Group, activation: &WideBlock) {
    let (parts, _) = group.quanta.as_chunks::<4>();
    let (chunks, scales) = (&parts[PART % 16], load(&group.scales[PART % 16]));
    let values = &activation.parts[PART / 2 % 8].values[PART % 2];
    let [mut first, mut second] = [[quanta[0], quanta[1]], [quanta[2], quanta[3]]];
    let widened = widen(vmovl_s8(vget_low_s8(scales)));
    add_dots(&mut first, &prepare_first(chunks), widened, values);
    let widened = widen(vmovl_high_s8(scales));
    add_dots(&mut second, &prepare_second(chunks), widened, values);
    *quanta = [first[0], first[1], second[0], second[1]];
}

q6_k_loops!("neon");
