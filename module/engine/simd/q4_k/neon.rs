// SPDX-License-Identifier: GPL-2.0
//! Q4_K with SMLAL: 4 weights of 2 row pairs at a time, summed over a part in 16 bits as in Q4_0.

use super::loops::q4_k_loops;
use crate::simd::activation::WidePart;
use crate::simd::neon::{broadcast, load_i32};
use core::arch::aarch64::*;

#[inline]
#[target_feature(enable = "neon")]
fn part(pairs: &[[[u8; 4]; 4]; 8], activation: &WidePart) -> [int32x4_t; 2] {
    let mut sums = [[vdupq_n_s16(0); 2]; 2];
    for (pairs, a) in pairs.iter().zip(broadcast(&activation.values)) {
        let pairs = load(pairs);
        let rows = [vshrq_n_s8::<4>(pairs), vandq_s8(pairs, vdupq_n_s8(15))];
        for (sums, quanta) in sums.iter_mut().zip(rows) {
            sums[0] = vmlal_s8(sums[0], vget_low_s8(quanta), vget_low_s8(a));
            sums[1] = vmlal_high_s8(sums[1], quanta, a);
        }
    }
    let [upper, lower] = sums.map(|[low, high]| vpaddlq_s16(vpaddq_s16(low, high)));
    // The upper rows lack 8 each: 16 * 8 * sum makes up for it.
    let offset = load_i32(&activation.offset[0]);
    [vaddq_s32(offset, vshlq_n_s32::<4>(upper)), lower]
}

q4_k_loops!("neon");
