// SPDX-License-Identifier: GPL-2.0
//! Q4_0 with SMLAL: 4 weights of 2 row pairs at a time, summed over the block in 16 bits.
//!
//! A lane takes 8 products: at most 8 * 8 * 127 above and 8 * 15 * 127 below, and twice that after
//! the pairwise addition, which is less than 2^15.

use super::{Group, Q4_0};
use crate::simd::integer_loops::integer_loops;
use crate::simd::neon::{broadcast, load, load_f16};
use core::arch::aarch64::*;

/// Upper and lower rows of the pairs.
type Weights = [[int8x16_t; 2]; 8];

#[inline]
#[target_feature(enable = "neon")]
fn prepare(group: &Group, half: usize) -> Weights {
    core::array::from_fn(|j| {
        let pairs = load(group.chunk(half, j));
        [vshrq_n_s8::<4>(pairs), vandq_s8(pairs, vdupq_n_s8(15))]
    })
}

#[inline]
#[target_feature(enable = "neon")]
fn scales(group: &Group, half: usize) -> Eight {
    load_f16(&group.scales.0[half])
}

#[inline]
#[target_feature(enable = "neon")]
fn dots(weights: &Weights, activation: &Int8Block, offsets: [int32x4_t; 2]) -> Eight {
    let mut sums = [[vdupq_n_s16(0); 2]; 2];
    for (rows, a) in weights.iter().zip(broadcast(&activation.values)) {
        for (sums, quanta) in sums.iter_mut().zip(rows) {
            sums[0] = vmlal_s8(sums[0], vget_low_s8(*quanta), vget_low_s8(a));
            sums[1] = vmlal_high_s8(sums[1], *quanta, a);
        }
    }
    let [above, below] = sums.map(|[low, high]| vpaddq_s16(low, high));
    [
        vcvtq_f32_s32(vpaddlq_s16(above)),
        vcvtq_f32_s32(vpadalq_s16(offsets[0], below)),
    ]
}

integer_loops!("neon", Q4_0);
