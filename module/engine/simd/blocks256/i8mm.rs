// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 with SMMLA: 8 weights of 2 rows with 8 activations of 2 rows at a time.

use super::{Blocks256, Group, Scaling};
use crate::simd::dots::i8mm::{Four, eights, products, products_of_16};
use crate::simd::neon::{load, load_f32, load_i32};
use crate::simd::pair_loops::pair_loops;
use crate::simd::quanta::Quanta;
use crate::simd::wide_tile::{PairPart, WideTile};
use core::arch::aarch64::*;

/// 32 weights of two rows of the first four of a half and of two of the second. Their scales are each
/// there twice, for the one or two parts.
struct Rows {
    weights: [Four; 2],
    scales: [[int32x4_t; 2]; 2],
}

/// The scales of rows 2 * `quarter` and 2 * `quarter` + 1 of both fours of a half, each twice.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn scales_of<S: Scaling>(scaling: &S, part: usize, half: usize, quarter: usize) -> [int32x4_t; 2] {
    let bytes = scaling.scales(part);
    [0, 1].map(|four| {
        // The scale of a row in the top byte of its two lanes.
        // CAST: Below 16.
        #[expect(clippy::cast_possible_truncation)]
        let first = (8 * half + 4 * four + 2 * quarter) as u32;
        let rows = vcombine_u32(vcreate_u32(0), vcreate_u32(0x0100_0000_0100_0000));
        let select = vaddq_u32(rows, vdupq_n_u32(first << 24 | 0x00ff_ffff));
        let top = vqtbl1q_s8(bytes, vreinterpretq_u8_u32(select));
        vshrq_n_s32::<24>(vreinterpretq_s32_s8(top))
    })
}

/// Adds the products with a pair of activation rows, each times its scale, to `quanta`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_pair<Q: Quanta, S: Scaling>(quanta: &mut [int32x4_t; 2], rows: &Rows, pair: &PairPart) {
    let Rows { weights, scales } = rows;
    if S::PARTS == 8 {
        let dots = products(Q::lack(load_i32(&pair.start)), weights, &pair.values);
        for (i, quanta) in quanta.iter_mut().enumerate() {
            *quanta = vmlaq_s32(*quanta, dots[i], scales[0][i]);
        }
    } else {
        let sums = vreinterpretq_s16_s8(load(&pair.halves));
        let start = Q::lack(vshll_n_s16::<7>(vget_low_s16(sums)));
        let end = Q::lack(vshll_high_n_s16::<7>(sums));
        let first = products_of_16::<0>(start, weights, &pair.values);
        let second = products_of_16::<1>(end, weights, &pair.values);
        for (i, quanta) in quanta.iter_mut().enumerate() {
            let sum = vmlaq_s32(*quanta, first[i], scales[0][i]);
            *quanta = vmlaq_s32(sum, second[i], scales[1][i]);
        }
    }
}

/// What adding the terms of a block needs of the rows.
struct Terms {
    d: Eight,
    dmin: Eight,
    /// As [four][parts 8j to 8j + 7].
    minima: [[int8x16_t; 2]; 2],
}

/// The products of the minima of two rows with the sums of a pair, their sign changed: one SMMLA
/// multiplies those of 8 parts.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn less_minima<S: Scaling>(minima: [int8x16_t; 2], tile: &WideTile, pair: usize) -> int32x4_t {
    let zero = vdupq_n_s32(0);
    if S::PARTS == 8 {
        let [upper, lower] = tile.sums[pair % 2].each_ref().map(|sums| load(sums));
        let least = vmmlaq_s32(zero, minima[0], upper);
        vmmlaq_s32(vshlq_n_s32::<7>(least), minima[0], lower)
    } else {
        let [upper, lower] = &tile.halves[pair % 2];
        let add = |least: int32x4_t, sums: &[[[i8; 8]; 2]; 2]| {
            let least = vmmlaq_s32(least, minima[0], load(&sums[0]));
            vmmlaq_s32(least, minima[1], load(&sums[1]))
        };
        add(vshlq_n_s32::<7>(add(zero, upper)), lower)
    }
}

/// Adds the terms of a block with a pair to `sums`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn finish<S: Scaling>(
    sums: &mut Eight,
    quanta: [int32x4_t; 2],
    terms: &Terms,
    tile: &WideTile,
    pair: usize,
) {
    let scale = load_f32(&tile.scales[pair % 2]);
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum = vfmaq_f32(*sum, vcvtq_f32_s32(quanta[i]), vmulq_f32(terms.d[i], scale));
        if S::MINIMUM {
            let least = vcvtq_f32_s32(less_minima::<S>(terms.minima[i], tile, pair));
            *sum = vfmaq_f32(*sum, least, vmulq_f32(terms.dmin[i], scale));
        }
    }
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn tiles<Q: Quanta, S: Scaling, const N: usize, const QUARTER: usize>(
    group: &[Group<Q, S>],
    half: usize,
    activation: [&[WideTile]; N],
) -> [[Eight; 2]; N] {
    let mut sums = [[[vdupq_n_f32(0.0); 2]; 2]; N];
    for (index, block) in group.iter().enumerate() {
        // SAFETY: the tiles have as many blocks as the group.
        let activation = activation.map(|tile| unsafe { tile.get_unchecked(index) });
        let mut quanta = [[[vdupq_n_s32(0); 2]; 2]; N];
        for (part, of_part) in block.quanta.iter().enumerate() {
            let parts = if S::PARTS == 8 {
                [part; 2]
            } else {
                [2 * part, 2 * part + 1]
            };
            let rows = Rows {
                weights: eights(&of_part.unpack(&block.book, half), QUARTER),
                scales: parts.map(|part| scales_of(&block.scaling, part, half, QUARTER)),
            };
            for (quanta, tile) in quanta.iter_mut().zip(activation) {
                let pairs = &tile.parts[part % 8];
                add_pair::<Q, S>(&mut quanta[0], &rows, &pairs[0]);
                add_pair::<Q, S>(&mut quanta[1], &rows, &pairs[1]);
            }
        }
        let [d, dmin] = block.scaling.factors(half);
        let first = 8 * half + 2 * QUARTER;
        let terms = Terms {
            d: twice(d, QUARTER),
            dmin: twice(dmin, QUARTER),
            minima: [first, first + 4].map(|row| block.scaling.minima_of_pair(row)),
        };
        for (sums, (quanta, tile)) in sums.iter_mut().zip(quanta.iter().zip(activation)) {
            finish::<S>(&mut sums[0], quanta[0], &terms, tile, 0);
            finish::<S>(&mut sums[1], quanta[1], &terms, tile, 1);
        }
    }
    sums
}

pair_loops! {
    layout: Blocks256<Q, S>, generics: [Q: Quanta, S: Scaling], single: dotprod, tile: WideTile
}
