// SPDX-License-Identifier: GPL-2.0
//! Q4_0 with SDOT by element: 4 weights of 4 row pairs at a time.

use super::{Group, Q4_0};
use crate::simd::integer_loops::integer_loops;
use crate::simd::neon::{load, load_f16};
use core::arch::aarch64::*;

/// Bytes of pairs, and their lower rows.
type Weights = ([int8x16_t; 8], [int8x16_t; 8]);

#[inline]
#[target_feature(enable = "dotprod")]
fn prepare(group: &Group, half: usize) -> Weights {
    let pairs = group.pairs[half].each_ref().map(|chunk| load(chunk));
    (pairs, pairs.map(|pairs| vandq_s8(pairs, vdupq_n_s8(15))))
}

#[inline]
#[target_feature(enable = "dotprod")]
fn scales(group: &Group, half: usize) -> Eight {
    load_f16(&group.scales.0[half])
}

/// The offset of a block twice, as `load_offsets`, by an instruction of its own for each half.
///
/// The compiler would see that all of them are equal, and copy registers: that takes the vector
/// units, of which this loop has too few.
#[inline]
#[target_feature(enable = "dotprod")]
fn row_offsets(block: &Int8Block) -> [int32x4_t; 2] {
    let (first, second);
    // SAFETY: loads the 32 bytes of `offset`.
    unsafe {
        core::arch::asm!(
            "ldp {first:q}, {second:q}, [{block}, #{at}]",
            first = out(vreg) first,
            second = out(vreg) second,
            block = in(reg) block,
            at = const core::mem::offset_of!(Int8Block, offset),
            options(readonly, nostack, preserves_flags),
        );
    }
    [first, second]
}

#[inline]
#[target_feature(enable = "dotprod")]
fn dots((pairs, below): &Weights, activation: &Int8Block, offsets: [int32x4_t; 2]) -> Eight {
    let [a0, a1] = activation.values.each_ref().map(|values| load(values));
    let [mut both, mut lower] = offsets;
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
    // 16 A + B less B; the conversion divides by 16, which is exact.
    [
        vcvtq_n_f32_s32::<4>(vsubq_s32(both, lower)),
        vcvtq_f32_s32(lower),
    ]
}

integer_loops!("dotprod", Q4_0);
