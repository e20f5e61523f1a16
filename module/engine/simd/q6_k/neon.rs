// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SMLAL: 4 weights of 2 rows at a time.
//!
//! A lane of 16 bits takes four products, at most 4 * 63 * 127 < 2^15, before it is widened.

use super::loops::q6_k_loops;
use core::arch::aarch64::*;

#[inline]
#[target_feature(enable = "neon")]
fn part(weights: &[Chunk; 4], activation: &[i8; 16], offset: int32x4_t) -> [int32x4_t; 2] {
    let a = vreinterpretq_s32_s8(load(activation));
    let a = [
        vdupq_laneq_s32::<0>(a),
        vdupq_laneq_s32::<1>(a),
        vdupq_laneq_s32::<2>(a),
        vdupq_laneq_s32::<3>(a),
    ]
    .map(|chunk| vreinterpretq_s8_s32(chunk));
    [0, 1].map(|i| {
        let (mut low, mut high) = (vdupq_n_s16(0), vdupq_n_s16(0));
        for (weights, a) in weights.iter().zip(a) {
            low = vmlal_s8(low, vget_low_s8(weights[i]), vget_low_s8(a));
            high = vmlal_high_s8(high, weights[i], a);
        }
        vaddq_s32(offset, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)))
    })
}

q6_k_loops!("neon");
