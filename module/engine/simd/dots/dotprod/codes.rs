// SPDX-License-Identifier: GPL-2.0
//! Dot products of codes of 4 bits by TBL and SDOT.

use crate::simd::quanta::nibbles::PairsOf16;
use core::arch::aarch64::*;

/// A vector of pairs of codes of each half with four activations.
macro_rules! of_codes {
    ($first:literal, $second:literal, $four:tt) => {
        concat!(
            concat!("ushr v24.16b, ", $first, ".16b, #4\n"),
            concat!("ushr v25.16b, ", $second, ".16b, #4\n"),
            concat!("and ", $first, ".16b, ", $first, ".16b, {fifteen:v}.16b\n"),
            concat!(
                "and ",
                $second,
                ".16b, ",
                $second,
                ".16b, {fifteen:v}.16b\n"
            ),
            "tbl v24.16b, {{ {book:v}.16b }}, v24.16b\n",
            "tbl v25.16b, {{ {book:v}.16b }}, v25.16b\n",
            concat!(
                "tbl ",
                $first,
                ".16b, {{ {book:v}.16b }}, ",
                $first,
                ".16b\n"
            ),
            concat!(
                "tbl ",
                $second,
                ".16b, {{ {book:v}.16b }}, ",
                $second,
                ".16b\n"
            ),
            concat!("sdot {u0:v}.4s, v24.16b, {a:v}.4b[", $four, "]\n"),
            concat!("sdot {u1:v}.4s, v25.16b, {a:v}.4b[", $four, "]\n"),
            concat!("sdot {l0:v}.4s, ", $first, ".16b, {a:v}.4b[", $four, "]\n"),
            concat!("sdot {l1:v}.4s, ", $second, ".16b, {a:v}.4b[", $four, "]\n"),
        )
    };
}

/// `sums` + the products of pairs of codes of `book` with 16 activations, as [half of the rows][upper
/// rows, lower rows]; and where the pairs end.
///
/// In assembler, because the compiler loads two vectors at a time, and keeps an address more.
///
/// # Safety
///
/// `pairs` points to those of 16 weights.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) unsafe fn sixteen_codes(
    sums: [[int32x4_t; 2]; 2],
    mut pairs: *const PairsOf16,
    book: int8x16_t,
    a: int8x16_t,
) -> ([[int32x4_t; 2]; 2], *const PairsOf16) {
    let [[mut u0, mut l0], [mut u1, mut l1]] = sums;
    // SAFETY: reads the 128 bytes that `pairs` points to only.
    unsafe {
        core::arch::asm!(
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{pairs}], #64",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{pairs}], #64",
            of_codes!("v16", "v20", 0),
            of_codes!("v17", "v21", 1),
            of_codes!("v18", "v22", 2),
            of_codes!("v19", "v23", 3),
            pairs = inout(reg) pairs, a = in(vreg) a,
            book = in(vreg) book, fifteen = in(vreg) vdupq_n_s8(15),
            u0 = inout(vreg) u0, l0 = inout(vreg) l0,
            u1 = inout(vreg) u1, l1 = inout(vreg) l1,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
            out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    ([[u0, l0], [u1, l1]], pairs)
}
