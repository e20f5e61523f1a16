// SPDX-License-Identifier: GPL-2.0
//! Dot products by SDOT.

use crate::simd::quanta::nibbles::PairsOf16;
use crate::simd::quanta::twos::FoursOf16;
use core::arch::aarch64::*;

/// `sums` + the products of 8 rows with 16 activations.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn sixteen(
    sums: [int32x4_t; 2],
    weights: &[[int8x16_t; 2]; 4],
    a: int8x16_t,
) -> [int32x4_t; 2] {
    [0, 1].map(|i| {
        let sum = four::<0>(sums[i], weights[0][i], a);
        let sum = four::<1>(sum, weights[1][i], a);
        let sum = four::<2>(sum, weights[2][i], a);
        four::<3>(sum, weights[3][i], a)
    })
}

/// `sum` + the products of 4 rows of 4 small weights with the four activations `FOUR`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn four<const FOUR: i32>(sum: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t {
    vdotq_laneq_s32::<FOUR>(sum, weights, a)
}

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

/// Four vectors of twos with 16 activations; `$mask` leaves the rows of the next sum.
macro_rules! of_twos {
    ($sum:literal) => {
        concat!(
            concat!("sdot {", $sum, ":v}.4s, v16.16b, {a:v}.4b[0]\n"),
            concat!("sdot {", $sum, ":v}.4s, v17.16b, {a:v}.4b[1]\n"),
            concat!("sdot {", $sum, ":v}.4s, v18.16b, {a:v}.4b[2]\n"),
            concat!("sdot {", $sum, ":v}.4s, v19.16b, {a:v}.4b[3]\n"),
        )
    };
    ($sum:literal, $mask:literal) => {
        concat!(
            concat!("and v16.16b, v16.16b, {", $mask, ":v}.16b\n"),
            concat!("and v17.16b, v17.16b, {", $mask, ":v}.16b\n"),
            concat!("and v18.16b, v18.16b, {", $mask, ":v}.16b\n"),
            concat!("and v19.16b, v19.16b, {", $mask, ":v}.16b\n"),
            of_twos!($sum),
        )
    };
}

/// The products of twos with 16 activations: 64 times those of rows A, 16 times B, 4 times C, and D;
/// and where the twos end. `sum_128` is 128 times the sum of the activations, which rows A lack.
///
/// In assembler, because the compiler unpacks each row, and computes an address for each load.
///
/// # Safety
///
/// `twos` points to those of 16 weights.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) unsafe fn sixteen_twos(
    sum_128: int32x4_t,
    mut twos: *const FoursOf16,
    a: int8x16_t,
) -> ([int32x4_t; 4], *const FoursOf16) {
    let mut all = sum_128;
    let [mut bcd, mut cd, mut d] = [vdupq_n_s32(0); 3];
    // SAFETY: reads the 64 bytes that `twos` points to only.
    unsafe {
        core::arch::asm!(
            "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{twos}], #64",
            of_twos!("all"),
            of_twos!("bcd", "m63"),
            of_twos!("cd", "m15"),
            of_twos!("d", "m3"),
            twos = inout(reg) twos, a = in(vreg) a,
            m63 = in(vreg) vdupq_n_s8(63), m15 = in(vreg) vdupq_n_s8(15), m3 = in(vreg) vdupq_n_s8(3),
            all = inout(vreg) all, bcd = inout(vreg) bcd, cd = inout(vreg) cd, d = inout(vreg) d,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    let [a, b, c] = [vsubq_s32(all, bcd), vsubq_s32(bcd, cd), vsubq_s32(cd, d)];
    ([a, b, c, d], twos)
}
