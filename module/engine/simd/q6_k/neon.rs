// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SMLAL: 4 weights of 2 rows at a time.
//!
//! A lane of 16 bits takes four products, at most 4 * 32 * 127, and twice that after the pairwise
//! addition, which is less than 2^15.

use super::loops::q6_k_loops;
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

#[inline]
#[target_feature(enable = "neon")]
fn dots(weights: &Weights, values: &[i8; 16], _: &WideBlock) -> [int32x4_t; 2] {
    let a = vreinterpretq_s32_s8(load(values));
    let [a0, a1, a2, a3] = [
        vdupq_laneq_s32::<0>(a),
        vdupq_laneq_s32::<1>(a),
        vdupq_laneq_s32::<2>(a),
        vdupq_laneq_s32::<3>(a),
    ]
    .map(|chunk| vreinterpretq_s8_s32(chunk));
    weights.each_ref().map(|weights| {
        let mut low = vmull_s8(vget_low_s8(weights[0]), vget_low_s8(a0));
        let mut high = vmull_high_s8(weights[0], a0);
        for (weights, a) in weights[1..].iter().zip([a1, a2, a3]) {
            low = vmlal_s8(low, vget_low_s8(*weights), vget_low_s8(a));
            high = vmlal_high_s8(high, *weights, a);
        }
        vpaddlq_s16(vpaddq_s16(low, high))
    })
}

#[inline]
#[target_feature(enable = "neon")]
fn part<const PART: usize>(quanta: &mut [int32x4_t; 4], group: &Group, activation: &WideBlock) {
    let (parts, _) = group.quanta.as_chunks::<4>();
    let (chunks, scales) = (&parts[PART % 16], load(&group.scales[PART % 16]));
    let values = &activation.parts[PART / 2 % 8].values[PART % 2];
    let [a, b, c, d] = *quanta;
    let widened = widen(vmovl_s8(vget_low_s8(scales)));
    let [a, b] = add_part([a, b], &prepare_first(chunks), widened, values, activation);
    let widened = widen(vmovl_high_s8(scales));
    let [c, d] = add_part([c, d], &prepare_second(chunks), widened, values, activation);
    *quanta = [a, b, c, d];
}

q6_k_loops!("neon");
