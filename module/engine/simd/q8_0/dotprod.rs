// SPDX-License-Identifier: GPL-2.0
//! Q8_0 with SDOT by element: 4 weights of 4 rows at a time.

use super::{Group, Q8_0};
use crate::simd::integer_loops::integer_loops;
use crate::simd::neon::{load, load_f16};
use core::arch::aarch64::*;

/// As [weights 4j to 4j + 3][four rows].
type Weights = [[int8x16_t; 2]; 8];

#[inline]
#[target_feature(enable = "dotprod")]
fn prepare(group: &Group, half: usize) -> Weights {
    group.quanta[half]
        .each_ref()
        .map(|rows| rows.each_ref().map(|quanta| load(quanta)))
}

#[inline]
#[target_feature(enable = "dotprod")]
fn scales(group: &Group, half: usize) -> Eight {
    load_f16(&group.scales.0[half])
}

#[inline]
#[target_feature(enable = "dotprod")]
fn dots(weights: &Weights, activation: &Int8Block, _offsets: [int32x4_t; 2]) -> Eight {
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    let (mut first, mut second) = (vdupq_n_s32(0), vdupq_n_s32(0));
    macro_rules! chunk {
        ($j:literal, $a:ident, $lane:literal) => {
            first = vdotq_laneq_s32::<$lane>(first, weights[$j][0], $a);
            second = vdotq_laneq_s32::<$lane>(second, weights[$j][1], $a);
        };
    }
    chunk!(0, a0, 0);
    chunk!(1, a0, 1);
    chunk!(2, a0, 2);
    chunk!(3, a0, 3);
    chunk!(4, a1, 0);
    chunk!(5, a1, 1);
    chunk!(6, a1, 2);
    chunk!(7, a1, 3);
    [vcvtq_f32_s32(first), vcvtq_f32_s32(second)]
}

integer_loops!("dotprod", Q8_0);
