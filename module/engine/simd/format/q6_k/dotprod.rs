// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SDOT by element: 4 weights of 4 rows at a time.

use super::loops::q6_k_loops;
use crate::simd::activation::WidePart;
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

/// Adds the dot products of 8 rows with 16 values times their scales to `quanta`.
///
/// They start from zeros in memory: one load costs less than two MOVI, and does not take the vector
/// units, of which these loops have too few. In assembler, because the compiler interleaves the
/// rows and spills: a prompt token of a model with 12 layers of 768 takes 15.8 M instructions where
/// it takes 15.1 M with this.
#[inline]
#[target_feature(enable = "dotprod")]
fn dots<const I: usize>(
    quanta: &mut [int32x4_t; 2],
    [first, second]: &Weights,
    scales: [int32x4_t; 2],
    part: &WidePart,
    block: &WideBlock,
) {
    // SAFETY: reads half the values of the part, and the zeros of the block.
    unsafe {
        core::arch::asm!(
            "ldr {a:q}, [{part}, #{values}]",
            "ldp {d0:q}, {d1:q}, [{block}, #{zeros}]",
            "sdot {d0:v}.4s, {f0:v}.16b, {a:v}.4b[0]",
            "sdot {d1:v}.4s, {s0:v}.16b, {a:v}.4b[0]",
            "sdot {d0:v}.4s, {f1:v}.16b, {a:v}.4b[1]",
            "sdot {d1:v}.4s, {s1:v}.16b, {a:v}.4b[1]",
            "sdot {d0:v}.4s, {f2:v}.16b, {a:v}.4b[2]",
            "sdot {d1:v}.4s, {s2:v}.16b, {a:v}.4b[2]",
            "sdot {d0:v}.4s, {f3:v}.16b, {a:v}.4b[3]",
            "sdot {d1:v}.4s, {s3:v}.16b, {a:v}.4b[3]",
            "mla {q0:v}.4s, {d0:v}.4s, {scale0:v}.4s",
            "mla {q1:v}.4s, {d1:v}.4s, {scale1:v}.4s",
            part = in(reg) part,
            values = const 16 * (I % 2),
            block = in(reg) block,
            zeros = const core::mem::offset_of!(WideBlock, zeros),
            scale0 = in(vreg) scales[0], scale1 = in(vreg) scales[1],
            q0 = inout(vreg) quanta[0], q1 = inout(vreg) quanta[1],
            f0 = in(vreg) first[0], f1 = in(vreg) first[1],
            f2 = in(vreg) first[2], f3 = in(vreg) first[3],
            s0 = in(vreg) second[0], s1 = in(vreg) second[1],
            s2 = in(vreg) second[2], s3 = in(vreg) second[3],
            a = out(vreg) _, d0 = out(vreg) _, d1 = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

/// One chunk of 16 rows, its thirds loaded, with a quarter of the activations in `a`.
macro_rules! chunk {
    ($first:literal $second:literal $third:literal, $lane:literal) => {
        concat!(
            "and {t:v}.16b, {",
            $first,
            ":v}.16b, {mask:v}.16b\n",
            "sli {",
            $first,
            ":v}.16b, {",
            $second,
            ":v}.16b, #2\n",
            "and {",
            $second,
            ":v}.16b, {",
            $second,
            ":v}.16b, {mask:v}.16b\n",
            "sdot {d0:v}.4s, {t:v}.16b, {a:v}.4b[",
            $lane,
            "]\n",
            "sli {",
            $first,
            ":v}.16b, {",
            $third,
            ":v}.16b, #4\n",
            "and {",
            $third,
            ":v}.16b, {",
            $third,
            ":v}.16b, {mask:v}.16b\n",
            "sdot {d1:v}.4s, {",
            $second,
            ":v}.16b, {a:v}.4b[",
            $lane,
            "]\n",
            "shl {",
            $first,
            ":v}.16b, {",
            $first,
            ":v}.16b, #2\n",
            "sdot {d2:v}.4s, {",
            $third,
            ":v}.16b, {a:v}.4b[",
            $lane,
            "]\n",
            "sdot {d3:v}.4s, {",
            $first,
            ":v}.16b, {a:v}.4b[",
            $lane,
            "]\n",
        )
    };
}

/// Adds the dot products of a part of 16 rows times their scales to `quanta`.
///
/// In assembler, because the compiler loads most of the weights one by one.
#[inline]
#[target_feature(enable = "dotprod")]
fn part<const PART: usize>(quanta: &mut [int32x4_t; 4], group: &Group, activation: &WideBlock) {
    use core::mem::offset_of;
    const { assert!(PART < 16 && size_of::<WidePart>() == 64) };
    // SAFETY: reads the weights, the scales and the activations of the part, and zeros: the pointer
    // to the weights is that of one of four parts, and what is added to it leads to the wanted one.
    unsafe {
        core::arch::asm!(
            "ldp {m:q}, {n:q}, [{weights}, #{at}]",
            "ldp {o:q}, {p:q}, [{weights}, #{at} + 32]",
            "ldr {a:q}, [{block}, #{values}]",
            "ldp {d0:q}, {d1:q}, [{block}, #{zeros}]",
            "ldp {d2:q}, {d3:q}, [{block}, #{zeros}]",
            "ldp {q:q}, {r:q}, [{weights}, #{at} + 64]",
            chunk!("m" "n" "o", 0),
            "ldp {m:q}, {n:q}, [{weights}, #{at} + 96]",
            chunk!("p" "q" "r", 1),
            "ldp {o:q}, {p:q}, [{weights}, #{at} + 128]",
            "ldp {q:q}, {r:q}, [{weights}, #{at} + 160]",
            chunk!("m" "n" "o", 2),
            "ldr {t:q}, [{group}, #{scales}]",
            "sxtl {m:v}.8h, {t:v}.8b",
            "sxtl2 {n:v}.8h, {t:v}.16b",
            chunk!("p" "q" "r", 3),
            "sxtl {o:v}.4s, {m:v}.4h",
            "sxtl2 {m:v}.4s, {m:v}.8h",
            "sxtl {p:v}.4s, {n:v}.4h",
            "sxtl2 {n:v}.4s, {n:v}.8h",
            "mla {q0:v}.4s, {d0:v}.4s, {o:v}.4s",
            "mla {q1:v}.4s, {d1:v}.4s, {m:v}.4s",
            "mla {q2:v}.4s, {d2:v}.4s, {p:v}.4s",
            "mla {q3:v}.4s, {d3:v}.4s, {n:v}.4s",
            group = in(reg) group,
            scales = const offset_of!(Group, scales) + 16 * PART,
            weights = in(reg) core::ptr::from_ref(group)
                .byte_add(offset_of!(Group, quanta) + PART / 4 * 768),
            at = const PART % 4 * 192,
            block = in(reg) activation,
            values = const 16 * (PART % 2) + 64 * (PART / 2),
            zeros = const offset_of!(WideBlock, zeros),
            mask = in(vreg) vdupq_n_s8(-4),
            q0 = inout(vreg) quanta[0], q1 = inout(vreg) quanta[1],
            q2 = inout(vreg) quanta[2], q3 = inout(vreg) quanta[3],
            d0 = out(vreg) _, d1 = out(vreg) _, d2 = out(vreg) _, d3 = out(vreg) _,
            m = out(vreg) _, n = out(vreg) _, o = out(vreg) _, p = out(vreg) _,
            q = out(vreg) _, r = out(vreg) _, a = out(vreg) _, t = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

q6_k_loops!("dotprod");
