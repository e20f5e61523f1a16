// SPDX-License-Identifier: GPL-2.0
//! Dot products by SMULL and SMLAL.
//!
//! A lane of 16 bits takes two products, at most 2 * 128 * 127 < 2^15, before it is widened.

use core::arch::aarch64::*;

/// `sums` + the products of 8 rows with 16 activations.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn sixteen(
    sums: [int32x4_t; 2],
    weights: &[[int8x16_t; 2]; 4],
    a: int8x16_t,
) -> [int32x4_t; 2] {
    let a = vreinterpretq_s32_s8(a);
    let a = [
        vdupq_laneq_s32::<0>(a),
        vdupq_laneq_s32::<1>(a),
        vdupq_laneq_s32::<2>(a),
        vdupq_laneq_s32::<3>(a),
    ]
    .map(|four| vreinterpretq_s8_s32(four));
    [0, 1].map(|i| {
        let of_two = |j: usize| {
            let (w, v) = (weights[j][i], weights[j + 1][i]);
            let low = vmull_s8(vget_low_s8(w), vget_low_s8(a[j]));
            let low = vmlal_s8(low, vget_low_s8(v), vget_low_s8(a[j + 1]));
            let high = vmlal_high_s8(vmull_high_s8(w, a[j]), v, a[j + 1]);
            [low, high]
        };
        let ([a_low, a_high], [b_low, b_high]) = (of_two(0), of_two(2));
        let low = vpadalq_s16(vpaddlq_s16(a_low), b_low);
        let high = vpadalq_s16(vpaddlq_s16(a_high), b_high);
        vaddq_s32(sums[i], vpaddq_s32(low, high))
    })
}

/// `sum` + the products of 4 rows of 4 weights, 0 to 63, with the four activations `FOUR`: four
/// products of at most 63 * 127 fit in 16 bits.
#[inline]
#[target_feature(enable = "neon")]
pub(crate) fn four<const FOUR: i32>(sum: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t {
    let a = vreinterpretq_s8_s32(vdupq_laneq_s32::<FOUR>(vreinterpretq_s32_s8(a)));
    let low = vmull_s8(vget_low_s8(weights), vget_low_s8(a));
    let high = vmull_high_s8(weights, a);
    vpadalq_s16(sum, vpaddq_s16(low, high))
}
