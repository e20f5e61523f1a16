// SPDX-License-Identifier: GPL-2.0
//! Q4_K with SDOT by element: 4 weights of 4 row pairs at a time.

use super::loops::q4_k_loops;
use crate::simd::activation::WidePart;
use core::arch::aarch64::*;

/// Bytes of pairs, and their lower rows.
type Weights = ([int8x16_t; 8], [int8x16_t; 8]);

#[inline]
#[target_feature(enable = "dotprod")]
fn prepare(pairs: &[[[u8; 4]; 4]; 8]) -> Weights {
    let pairs = pairs.each_ref().map(|chunk| load(chunk));
    (pairs, pairs.map(|pairs| vandq_s8(pairs, vdupq_n_s8(15))))
}

/// Where the dot products start, by an instruction of its own for each half: see `row_offsets` of
/// Q4_0. The upper rows lack 8 each: 16 * 8 * sum makes up for it.
#[inline]
#[target_feature(enable = "dotprod")]
fn start(part: &WidePart) -> [int32x4_t; 2] {
    let (first, second);
    // SAFETY: loads the 32 bytes of `start`.
    unsafe {
        core::arch::asm!(
            "ldp {first:q}, {second:q}, [{part}, #{at}]",
            first = out(vreg) first,
            second = out(vreg) second,
            part = in(reg) part,
            at = const core::mem::offset_of!(WidePart, start),
            options(readonly, nostack, preserves_flags),
        );
    }
    [first, second]
}

#[inline]
#[target_feature(enable = "dotprod")]
fn dots((pairs, below): &Weights, activation: &WidePart) -> [int32x4_t; 2] {
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    let [mut both, mut lower] = start(activation);
    macro_rules! chunk {
        ($j:literal, $a:ident, $lane:literal) => {
            both = vdotq_laneq_s32::<$lane>(both, pairs[$j], $a);
            lower = vdotq_laneq_s32::<$lane>(lower, below[$j], $a);
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

#[inline]
#[target_feature(enable = "dotprod")]
fn less_minima(minima: [uint8x16_t; 2], sums: int8x16_t) -> int32x4_t {
    let [first, second] = minima.map(|minima| vreinterpretq_s8_u8(minima));
    let upper = vdotq_laneq_s32::<0>(vdupq_n_s32(0), first, sums);
    let upper = vdotq_laneq_s32::<1>(upper, second, sums);
    let both = vdotq_laneq_s32::<2>(vshlq_n_s32::<7>(upper), first, sums);
    vdotq_laneq_s32::<3>(both, second, sums)
}

q4_k_loops!("dotprod");
