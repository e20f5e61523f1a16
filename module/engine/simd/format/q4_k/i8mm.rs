// SPDX-License-Identifier: GPL-2.0
//! Q4_K with SMMLA: 8 weights of 2 row pairs with 8 activations of 2 rows at a time.

use super::scales::{Four, minima, scales, select_of_pair};
use super::{Group, Q4K};
use crate::simd::neon::{load, load_f16, load_f32, zip_fours};
use crate::simd::wide_pair_loops::wide_pair_loops;
use core::arch::aarch64::*;

/// 16 times the upper rows of two pairs, and the lower rows; and the scales of both.
struct Weights {
    upper: [int8x16_t; 4],
    lower: [int8x16_t; 4],
    scales: [int32x4_t; 2],
}

/// The bytes of rows 2 * quarter and 2 * quarter + 1, by part.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn of_two_rows(four: Four, quarter: usize) -> int8x16_t {
    let [first, second] = four.map(|bytes| vreinterpretq_s8_u8(bytes));
    zip_fours(first, second, quarter)
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn prepare(group: &Group, part: usize, half: usize, quarter: usize) -> Weights {
    let (chunks, _) = group.pairs[part % 8][half % 2].as_chunks::<2>();
    let mut eights = [vdupq_n_s8(0); 4];
    for (eight, chunks) in eights.iter_mut().zip(chunks) {
        *eight = zip_fours(load(&chunks[0]), load(&chunks[1]), quarter);
    }
    let select = select_of_pair(part);
    Weights {
        upper: eights.map(|pairs| vandq_s8(pairs, vdupq_n_s8(-16))),
        lower: eights.map(|pairs| vandq_s8(pairs, vdupq_n_s8(15))),
        scales: [0, 1].map(|four| {
            let scales = of_two_rows(scales(group, 2 * half + four), quarter);
            vreinterpretq_s32_s8(vqtbl1q_s8(scales, select))
        }),
    }
}

/// Adds the products with a pair times their scales to `quanta`.
///
/// In assembler, because the compiler interleaves the pairs and spills most sums: it takes 188
/// instructions for a part of four rows and 16 activations.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_pair<const I: usize>(quanta: &mut [int32x4_t; 2], weights: &Weights, pairs: &[PairPart; 2]) {
    let Weights {
        upper,
        lower,
        scales,
    } = weights;
    // SAFETY: reads one of the two pairs only.
    unsafe {
        core::arch::asm!(
            "ldp {a:q}, {b:q}, [{pairs}, #{at}]",
            "ldp {u:q}, {l:q}, [{pairs}, #{at} + 64]",
            "smmla {l:v}.4s, {l0:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u0:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l1:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u1:v}.16b, {b:v}.16b",
            "ldp {a:q}, {b:q}, [{pairs}, #{at} + 32]",
            "smmla {l:v}.4s, {l2:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u2:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l3:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u3:v}.16b, {b:v}.16b",
            "mla {q1:v}.4s, {l:v}.4s, {s1:v}.4s",
            "mla {q0:v}.4s, {u:v}.4s, {s0:v}.4s",
            pairs = in(reg) pairs,
            at = const (I % 2) * size_of::<PairPart>(),
            u0 = in(vreg) upper[0], u1 = in(vreg) upper[1],
            u2 = in(vreg) upper[2], u3 = in(vreg) upper[3],
            l0 = in(vreg) lower[0], l1 = in(vreg) lower[1],
            l2 = in(vreg) lower[2], l3 = in(vreg) lower[3],
            s0 = in(vreg) scales[0], s1 = in(vreg) scales[1],
            q0 = inout(vreg) quanta[0], q1 = inout(vreg) quanta[1],
            u = out(vreg) _, l = out(vreg) _, a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

/// Scales of the blocks, each twice, and the minima of both pairs.
struct Rows {
    d: Eight,
    dmin: Eight,
    minima: [int8x16_t; 2],
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn rows(group: &Group, half: usize, quarter: usize) -> Rows {
    Rows {
        d: twice(load_f16(&group.d.0[half % 2]), quarter),
        dmin: twice(load_f16(&group.dmin.0[half % 2]), quarter),
        minima: [0, 1].map(|four| of_two_rows(minima(group, 2 * half + four), quarter)),
    }
}

/// One SMMLA multiplies the minima of all parts with the sums of their activations.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn finish(sums: &mut Eight, quanta: [int32x4_t; 2], rows: &Rows, tile: &WideTile, i: usize) {
    let scale = load_f32(&tile.scales[i % 2]);
    let [upper, lower] = tile.sums[i % 2].each_ref().map(|sums| load(sums));
    let quanta = [vcvtq_n_f32_s32::<4>(quanta[0]), vcvtq_f32_s32(quanta[1])];
    for (k, sum) in sums.iter_mut().enumerate() {
        let least = vmmlaq_s32(vdupq_n_s32(0), rows.minima[k], upper);
        let least = vmmlaq_s32(vshlq_n_s32::<7>(least), rows.minima[k], lower);
        let quantum = vfmaq_f32(*sum, quanta[k], vmulq_f32(rows.d[k], scale));
        *sum = vfmaq_f32(
            quantum,
            vcvtq_f32_s32(least),
            vmulq_f32(rows.dmin[k], scale),
        );
    }
}

wide_pair_loops!(Q4K, dotprod);
