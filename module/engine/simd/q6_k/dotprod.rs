// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SDOT by element: 4 weights of 4 rows at a time.

use super::loops::q6_k_loops;
use core::arch::aarch64::*;

/// 4 times the weights.
#[inline]
#[target_feature(enable = "dotprod")]
fn upper(bytes: int8x16_t) -> int8x16_t {
    vandq_s8(bytes, vdupq_n_s8(-4))
}

#[inline]
#[target_feature(enable = "dotprod")]
fn to_f32(quanta: int32x4_t) -> float32x4_t {
    vcvtq_n_f32_s32::<2>(quanta)
}

/// Two zeros to start from. One load costs less than two MOVI, and does not take the vector units,
/// of which these loops have too few.
#[inline]
#[target_feature(enable = "dotprod")]
fn start(block: &WideBlock) -> [int32x4_t; 2] {
    let (first, second);
    // SAFETY: loads the 32 bytes of `zeros`.
    unsafe {
        core::arch::asm!(
            "ldp {first:q}, {second:q}, [{block}, #{at}]",
            first = out(vreg) first,
            second = out(vreg) second,
            block = in(reg) block,
            at = const core::mem::offset_of!(WideBlock, zeros),
            options(readonly, nostack, preserves_flags),
        );
    }
    [first, second]
}

#[inline]
#[target_feature(enable = "dotprod")]
fn dots(weights: &Weights, values: &[i8; 16], block: &WideBlock) -> [int32x4_t; 2] {
    let (a, [mut first, mut second]) = (load(values), start(block));
    macro_rules! chunk {
        ($j:literal) => {
            first = vdotq_laneq_s32::<$j>(first, weights[0][$j], a);
            second = vdotq_laneq_s32::<$j>(second, weights[1][$j], a);
        };
    }
    chunk!(0);
    chunk!(1);
    chunk!(2);
    chunk!(3);
    [first, second]
}

q6_k_loops!("dotprod");
