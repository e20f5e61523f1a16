// SPDX-License-Identifier: GPL-2.0
//! Dot products of quanta of 5 bits by SDOT.

use crate::simd::quanta::nibbles::PairsOf16;
use core::arch::aarch64::*;

/// The upper bits of row B for one of the four vectors of 16 weights, to v24.
macro_rules! rest_of_fives {
    ($rest:literal, 0) => {
        concat!("and v24.16b, {", $rest, ":v}.16b, {three:v}.16b\n")
    };
    ($rest:literal, 1) => {
        rest_of_fives!($rest, "#2", "and v24.16b, v24.16b, {three:v}.16b\n")
    };
    ($rest:literal, 2) => {
        rest_of_fives!($rest, "#4", "and v24.16b, v24.16b, {three:v}.16b\n")
    };
    ($rest:literal, 3) => {
        rest_of_fives!($rest, "#6", "")
    };
    ($rest:literal, $shift:literal, $mask:literal) => {
        concat!("ushr v24.16b, {", $rest, ":v}.16b, ", $shift, "\n", $mask)
    };
}

/// One vector of pairs of fives with four activations.
macro_rules! of_fives {
    ($upper:literal, $lower:literal, $v:literal, $rest:literal, $four:tt) => {
        concat!(
            rest_of_fives!($rest, $four),
            concat!("sshr v25.16b, ", $v, ".16b, #3\n"),
            concat!("sli ", $v, ".16b, v24.16b, #3\n"),
            concat!("sdot {", $upper, ":v}.4s, v25.16b, {a:v}.4b[", $four, "]\n"),
            concat!(
                "sdot {",
                $lower,
                ":v}.4s, ",
                $v,
                ".16b, {a:v}.4b[",
                $four,
                "]\n"
            ),
        )
    };
}

/// `sums` + the products of pairs of fives with 16 activations, as [half of the rows][upper rows,
/// lower rows]; `rest` holds the upper bits of the lower rows.
///
/// In assembler, because the compiler unpacks pairs in another order, and spills.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn sixteen_fives(
    sums: [[int32x4_t; 2]; 2],
    pairs: &PairsOf16,
    rest: [int8x16_t; 2],
    a: int8x16_t,
) -> [[int32x4_t; 2]; 2] {
    let [[mut u0, mut l0], [mut u1, mut l1]] = sums;
    // SAFETY: reads the 128 bytes of `pairs` only.
    unsafe {
        core::arch::asm!(
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{pairs}], #64",
            "ld1 {{ v20.16b, v21.16b, v22.16b, v23.16b }}, [{pairs}]",
            of_fives!("u0", "l0", "v16", "r0", 0),
            of_fives!("u1", "l1", "v20", "r1", 0),
            of_fives!("u0", "l0", "v17", "r0", 1),
            of_fives!("u1", "l1", "v21", "r1", 1),
            of_fives!("u0", "l0", "v18", "r0", 2),
            of_fives!("u1", "l1", "v22", "r1", 2),
            of_fives!("u0", "l0", "v19", "r0", 3),
            of_fives!("u1", "l1", "v23", "r1", 3),
            pairs = inout(reg) pairs => _,
            a = in(vreg) a, r0 = in(vreg) rest[0], r1 = in(vreg) rest[1],
            three = in(vreg) vdupq_n_s8(3),
            u0 = inout(vreg) u0, l0 = inout(vreg) l0,
            u1 = inout(vreg) u1, l1 = inout(vreg) l1,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
            out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [[u0, l0], [u1, l1]]
}
