// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SMMLA: 8 weights of 2 rows with 8 activations of 2 rows at a time.

use super::{Group, Q6K};
use crate::simd::neon::{load, load_f16, load_f32, zip_fours};
use crate::simd::wide_pair_loops::wide_pair_loops;
use core::arch::aarch64::*;

/// 4 times 16 weights of two rows of the first four and of two of the second, and the scales of both.
type Half = ([[int8x16_t; 2]; 2], [int32x4_t; 2]);
/// 32 weights.
type Weights = [Half; 2];

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn prepare(group: &Group, part: usize, half: usize, quarter: usize) -> Weights {
    let (parts, _) = group.quanta.as_chunks::<4>();
    [0, 1].map(|i| {
        let (chunks, _) = parts[(2 * part + i) % 16].as_chunks::<2>();
        let rows = [&chunks[0], &chunks[1]].map(|chunks| {
            let third = |third: usize| {
                let [a, b] = chunks.each_ref().map(|thirds| load(&thirds[third % 3]));
                zip_fours(a, b, quarter)
            };
            let upper = |bytes| vandq_s8(bytes, vdupq_n_s8(-4));
            if half == 0 {
                [upper(third(0)), upper(third(1))]
            } else {
                let [a, b, c] = [third(0), third(1), third(2)];
                let bits = vsliq_n_s8::<4>(vsliq_n_s8::<2>(a, b), c);
                [upper(c), vshlq_n_s8::<2>(bits)]
            }
        });
        let [[a0, b0], [a1, b1]] = rows;
        let bytes = load(&group.scales[(2 * part + i) % 16]);
        let scales = [0, 1].map(|four| {
            // The scale of a row in the top byte of its two lanes.
            // CAST: Below 16.
            #[expect(clippy::cast_possible_truncation)]
            let first = (8 * half + 4 * four + 2 * quarter) as u32;
            let rows = vcombine_u32(vcreate_u32(0), vcreate_u32(0x0100_0000_0100_0000));
            let select = vaddq_u32(rows, vdupq_n_u32(first << 24 | 0x00ff_ffff));
            let top = vqtbl1q_s8(bytes, vreinterpretq_u8_u32(select));
            vshrq_n_s32::<24>(vreinterpretq_s32_s8(top))
        });
        ([[a0, a1], [b0, b1]], scales)
    })
}

/// Adds the products with a pair times their scales to `quanta`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_pair<const I: usize>(quanta: &mut [int32x4_t; 2], weights: &Weights, pairs: &[PairPart; 2]) {
    add_half::<I, 0>(quanta, &weights[0], pairs);
    add_half::<I, 1>(quanta, &weights[1], pairs);
}

/// Those of 16 of the 32 weights.
///
/// In assembler, because the compiler interleaves the pairs and spills most sums: a prompt token of a
/// model with 12 layers of 768 takes 14.3 M instructions where it takes 10.3 M with this.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_half<const I: usize, const HALF: usize>(
    quanta: &mut [int32x4_t; 2],
    ([upper, lower], scales): &Half,
    pairs: &[PairPart; 2],
) {
    // SAFETY: reads half the values of one of the two pairs, and zeros.
    unsafe {
        core::arch::asm!(
            "ldp {a:q}, {b:q}, [{pairs}, #{values}]",
            "ldp {u:q}, {l:q}, [{pairs}, #{zeros}]",
            "smmla {l:v}.4s, {l0:v}.16b, {a:v}.16b",
            "smmla {u:v}.4s, {u0:v}.16b, {a:v}.16b",
            "smmla {l:v}.4s, {l1:v}.16b, {b:v}.16b",
            "smmla {u:v}.4s, {u1:v}.16b, {b:v}.16b",
            "mla {q1:v}.4s, {l:v}.4s, {s1:v}.4s",
            "mla {q0:v}.4s, {u:v}.4s, {s0:v}.4s",
            pairs = in(reg) pairs,
            values = const (I % 2) * size_of::<PairPart>() + 32 * (HALF % 2),
            zeros = const core::mem::offset_of!(PairPart, zeros),
            u0 = in(vreg) upper[0], u1 = in(vreg) upper[1],
            l0 = in(vreg) lower[0], l1 = in(vreg) lower[1],
            s0 = in(vreg) scales[0], s1 = in(vreg) scales[1],
            q0 = inout(vreg) quanta[0], q1 = inout(vreg) quanta[1],
            u = out(vreg) _, l = out(vreg) _, a = out(vreg) _, b = out(vreg) _,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
}

/// Scales of the blocks, each twice.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn rows(group: &Group, half: usize, quarter: usize) -> Eight {
    twice(load_f16(&group.d.0[half % 2]), quarter)
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn finish(sums: &mut Eight, quanta: [int32x4_t; 2], d: &Eight, tile: &WideTile, i: usize) {
    let scale = load_f32(&tile.scales[i % 2]);
    for (k, sum) in sums.iter_mut().enumerate() {
        *sum = vfmaq_f32(
            *sum,
            vcvtq_n_f32_s32::<2>(quanta[k]),
            vmulq_f32(d[k], scale),
        );
    }
}

wide_pair_loops!(Q6K, dotprod);
