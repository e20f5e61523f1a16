// SPDX-License-Identifier: GPL-2.0
//! Dot products of quanta of 2 bits by SDOT.

use crate::simd::quanta::twos::FoursOf16;
use core::arch::aarch64::*;

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
