// SPDX-License-Identifier: GPL-2.0
//! Q4_K with SDOT by element: 4 weights of 4 row pairs at a time.

use super::loops::q4_k_loops;
use crate::simd::activation::WidePart;
use crate::simd::neon::load_i32;
use core::arch::aarch64::*;

#[inline]
#[target_feature(enable = "dotprod")]
fn part(pairs: &[[[u8; 4]; 4]; 8], activation: &WidePart) -> [int32x4_t; 2] {
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    // The upper rows lack 8 each: 16 * 8 * sum makes up for it.
    let (mut both, mut lower) = (load_i32(&activation.offset[0]), vdupq_n_s32(0));
    macro_rules! chunk {
        ($j:literal, $a:ident, $lane:literal) => {
            let pair = load(&pairs[$j]);
            both = vdotq_laneq_s32::<$lane>(both, pair, $a);
            lower = vdotq_laneq_s32::<$lane>(lower, vandq_s8(pair, vdupq_n_s8(15)), $a);
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
    [vsubq_s32(both, lower), lower]
}

q4_k_loops!("dotprod");
