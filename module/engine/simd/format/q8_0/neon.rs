// SPDX-License-Identifier: GPL-2.0
//! Q8_0 with SMULL and SMLAL: 4 weights of 2 rows at a time.
//!
//! A lane of 16 bits takes two products, at most 2 * 128 * 127 < 2^15, before it is widened.

use super::{Group, Q8_0};
use crate::simd::integer_loops::integer_loops;
use crate::simd::neon::{broadcast, load, load_f16};
use core::arch::aarch64::*;

/// As [weights 4j to 4j + 3][four rows].
type Weights = [[int8x16_t; 2]; 8];

#[inline]
#[target_feature(enable = "neon")]
fn prepare(group: &Group, half: usize) -> Weights {
    group.quanta[half]
        .each_ref()
        .map(|rows| rows.each_ref().map(|quanta| load(quanta)))
}

#[inline]
#[target_feature(enable = "neon")]
fn scales(group: &Group, half: usize) -> Eight {
    load_f16(&group.scales.0[half])
}

#[inline]
#[target_feature(enable = "neon")]
fn dots(weights: &Weights, activation: &Int8Block, _offsets: [int32x4_t; 2]) -> Eight {
    let mut sums = [[vdupq_n_s32(0); 2]; 2];
    let (weights, _) = weights.as_chunks::<2>();
    let activation = broadcast(&activation.values);
    let (activation, _) = activation.as_chunks::<2>();
    for ([w0, w1], [a0, a1]) in weights.iter().zip(activation) {
        for (sums, (w0, w1)) in sums.iter_mut().zip(w0.iter().zip(w1)) {
            let low = vmull_s8(vget_low_s8(*w0), vget_low_s8(*a0));
            let high = vmull_high_s8(*w0, *a0);
            let low = vmlal_s8(low, vget_low_s8(*w1), vget_low_s8(*a1));
            let high = vmlal_high_s8(high, *w1, *a1);
            sums[0] = vpadalq_s16(sums[0], low);
            sums[1] = vpadalq_s16(sums[1], high);
        }
    }
    sums.map(|[low, high]| vcvtq_f32_s32(vpaddq_s32(low, high)))
}

integer_loops!("neon", Q8_0);
