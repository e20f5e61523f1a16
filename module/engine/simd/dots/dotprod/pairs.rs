// SPDX-License-Identifier: GPL-2.0
//! Dot products of nibbles by SDOT.

use crate::simd::quanta::nibbles::PairsOf16;
use core::arch::aarch64::*;

/// Four vectors of pairs with 16 activations: to `both` the bytes as they are, to `lower` the lower
/// rows.
macro_rules! of_half {
    ($both:literal, $lower:literal, $v0:literal, $v1:literal, $v2:literal, $v3:literal) => {
        concat!(
            of_half!($both, $lower, $v0, "0"),
            of_half!($both, $lower, $v1, "1"),
            of_half!($both, $lower, $v2, "2"),
            of_half!($both, $lower, $v3, "3"),
        )
    };
    ($both:literal, $lower:literal, $v:literal, $lane:literal) => {
        concat!(
            concat!(
                "sdot {",
                $both,
                ":v}.4s, ",
                $v,
                ".16b, {a:v}.4b[",
                $lane,
                "]\n"
            ),
            concat!("and ", $v, ".16b, ", $v, ".16b, {fifteen:v}.16b\n"),
            concat!(
                "sdot {",
                $lower,
                ":v}.4s, ",
                $v,
                ".16b, {a:v}.4b[",
                $lane,
                "]\n"
            ),
        )
    };
}

/// `sums` + the products of nibble pairs with 16 activations, as [half of the rows][16 times the
/// upper rows plus the lower ones, the lower rows].
///
/// In assembler: a byte as it is costs nothing to unpack, which the compiler is not told, and it
/// loads two registers at a time.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn sixteen_pairs(
    sums: [[int32x4_t; 2]; 2],
    pairs: &PairsOf16,
    a: int8x16_t,
) -> [[int32x4_t; 2]; 2] {
    let [[mut b0, mut l0], [mut b1, mut l1]] = sums;
    // SAFETY: reads the 128 bytes of `pairs` only.
    unsafe {
        core::arch::asm!(
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{pairs}], #64",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{pairs}]",
            of_half!("b0", "l0", "v16", "v17", "v18", "v19"),
            of_half!("b1", "l1", "v20", "v21", "v22", "v23"),
            pairs = inout(reg) pairs => _,
            a = in(vreg) a, fifteen = in(vreg) vdupq_n_s8(15),
            b0 = inout(vreg) b0, l0 = inout(vreg) l0,
            b1 = inout(vreg) b1, l1 = inout(vreg) l1,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [[b0, l0], [b1, l1]]
}
