// SPDX-License-Identifier: GPL-2.0
//! Dot products by SMMLA, which multiplies 2 x 8 with 8 x 2 integers.

use crate::simd::neon::zip_fours;
use crate::simd::quanta::Unpacked;
use core::arch::aarch64::*;

/// 32 weights of two rows, as [weights 8j to 8j + 7][row].
pub(crate) type Four = [int8x16_t; 4];

/// The weights of rows 2 * `quarter` and 2 * `quarter` + 1 of both fours of a half.
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(crate) fn eights(unpacked: &Unpacked, quarter: usize) -> [Four; 2] {
    let (pairs, _) = unpacked.as_chunks::<2>();
    [0, 1].map(|i| {
        let eight = |j: usize| zip_fours(pairs[j][0][i], pairs[j][1][i], quarter);
        [eight(0), eight(1), eight(2), eight(3)]
    })
}

/// `starts` + the products of 2 x 2 rows with a pair of activation rows, two rows by two.
///
/// In assembler, because the compiler interleaves pairs and spills sums.
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(crate) fn products(
    starts: [int32x4_t; 2],
    [first, second]: &[Four; 2],
    values: &[[[i8; 8]; 2]; 4],
) -> [int32x4_t; 2] {
    let [mut upper, mut lower] = starts;
    // SAFETY: reads the 64 bytes of `values` only.
    unsafe {
        core::arch::asm!(
            "ldp {a:q}, {b:q}, [{values}]",
            "smmla {l:v}.4s, {l0:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u0:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l1:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u1:v}.16b, {b:v}.16b",
            "ldp {a:q}, {b:q}, [{values}, #32]",
            "smmla {l:v}.4s, {l2:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u2:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l3:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u3:v}.16b, {b:v}.16b",
            values = in(reg) values,
            u0 = in(vreg) first[0], u1 = in(vreg) first[1],
            u2 = in(vreg) first[2], u3 = in(vreg) first[3],
            l0 = in(vreg) second[0], l1 = in(vreg) second[1],
            l2 = in(vreg) second[2], l3 = in(vreg) second[3],
            u = inout(vreg) upper, l = inout(vreg) lower,
            a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [upper, lower]
}

/// [`products`] of the 16 weights `PART` of the 32.
#[inline]
#[target_feature(enable = "neon,i8mm")]
pub(crate) fn products_of_16<const PART: usize>(
    starts: [int32x4_t; 2],
    [first, second]: &[Four; 2],
    values: &[[[i8; 8]; 2]; 4],
) -> [int32x4_t; 2] {
    let [mut upper, mut lower] = starts;
    // SAFETY: reads 32 of the 64 bytes of `values` only.
    unsafe {
        core::arch::asm!(
            "ldp {a:q}, {b:q}, [{values}, #{at}]",
            "smmla {l:v}.4s, {l0:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u0:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l1:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u1:v}.16b, {b:v}.16b",
            values = in(reg) values,
            at = const PART % 2 * 32,
            u0 = in(vreg) first[PART % 2 * 2], u1 = in(vreg) first[PART % 2 * 2 + 1],
            l0 = in(vreg) second[PART % 2 * 2], l1 = in(vreg) second[PART % 2 * 2 + 1],
            u = inout(vreg) upper, l = inout(vreg) lower,
            a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [upper, lower]
}
