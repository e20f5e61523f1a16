// SPDX-License-Identifier: GPL-2.0
//! Scores and weighted sums of a tile of scaled integers.

use crate::math::fma::fma;
use crate::simd::attention::tile::{Quanta, Tile};
use crate::simd::attention::{BLOCK, Head, LANES, TILE};
use crate::simd::neon::{Eight, load_f16};
use core::arch::aarch64::*;

/// Eight integers times their scales; exact.
///
/// # Safety
///
/// The CPU must have Advanced SIMD; there are eight integers.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn widen(quanta: *const i8, [low, high]: Eight) -> Eight {
    // SAFETY: The caller's promise.
    let words = vmovl_s8(unsafe { vld1_s8(quanta) });
    [
        vmulq_f32(vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))), low),
        vmulq_f32(vcvtq_f32_s32(vmovl_high_s16(words)), high),
    ]
}

/// A scale, for eight integers.
#[inline]
#[target_feature(enable = "neon")]
fn for_all(scale: [u8; 2]) -> Eight {
    let halves = vreinterpret_f16_u16(vdup_n_u16(u16::from_le_bytes(scale)));
    [vcvt_f32_f16(halves); 2]
}

/// As [`super::scores::scores`].
///
/// # Safety
///
/// The CPU must have Advanced SIMD; queries have the dimensions of the tile, and `ends` are at most 32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn scores<const H: usize>(
    tile: &Quanta<'_>,
    heads: &[Head<'_>; H],
    ends: [usize; H],
    scores: &mut [[f32; TILE]; H],
) {
    let groups = ends.into_iter().max().unwrap_or(0).div_ceil(LANES);
    let queries = heads.each_ref().map(|head| head.query);
    let mut group = 0;
    // SAFETY: The caller's promise: there are four groups.
    unsafe {
        while group + 2 <= groups {
            some_groups::<H, 2>(tile, queries, group, scores);
            group += 2;
        }
        if group < groups {
            some_groups::<H, 1>(tile, queries, group, scores);
        }
    }
}

/// Scores of `G` groups of positions from `group` on.
///
/// # Safety
///
/// As for [`scores`]; `group + G` is at most 4.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn some_groups<const H: usize, const G: usize>(
    tile: &Quanta<'_>,
    queries: [&[f32]; H],
    group: usize,
    scores: &mut [[f32; TILE]; H],
) {
    let size = queries.first().map_or(0, |query| query.len());
    let keys: [*const [i8; LANES]; G] =
        core::array::from_fn(|g| tile.keys.as_ptr().wrapping_add((group + g) * size));
    let blocks = size.div_ceil(BLOCK);
    let scales: [*const [[u8; 2]; LANES]; G] =
        core::array::from_fn(|g| tile.key_scales.as_ptr().wrapping_add((group + g) * blocks));
    let mut sums = [[[vdupq_n_f32(0.0); 2]; G]; H];
    let (mut block, mut dimension) = (0, 0);
    while dimension < size {
        // SAFETY: Each group has `blocks` scales of eight positions.
        let scales = scales.map(|scales| unsafe { load_f16(&*scales.add(block)) });
        let end = size.min(dimension + BLOCK);
        while dimension + 4 <= end {
            // SAFETY: All queries have `size` dimensions.
            let q = queries.map(|query| unsafe { vld1q_f32(query.as_ptr().add(dimension)) });
            for g in 0..G {
                macro_rules! one {
                    ($lane:literal) => {
                        // SAFETY: Each group has `size` dimensions.
                        let [low, high] = unsafe {
                            let keys = keys.get_unchecked(g).add(dimension + $lane);
                            widen(keys.cast(), *scales.get_unchecked(g))
                        };
                        for (sums, q) in sums.iter_mut().zip(q) {
                            sums[g][0] = vfmaq_laneq_f32::<$lane>(sums[g][0], low, q);
                            sums[g][1] = vfmaq_laneq_f32::<$lane>(sums[g][1], high, q);
                        }
                    };
                }
                one!(0);
                one!(1);
                one!(2);
                one!(3);
            }
            dimension += 4;
        }
        while dimension < end {
            for ((g, keys), scales) in keys.iter().enumerate().zip(scales) {
                // SAFETY: As above.
                let [low, high] = unsafe { widen(keys.add(dimension).cast(), scales) };
                for (sums, query) in sums.iter_mut().zip(queries) {
                    // SAFETY: As above.
                    let q = unsafe { *query.get_unchecked(dimension) };
                    sums[g][0] = vfmaq_n_f32(sums[g][0], low, q);
                    sums[g][1] = vfmaq_n_f32(sums[g][1], high, q);
                }
            }
            dimension += 1;
        }
        block += 1;
    }
    for (scores, sums) in scores.iter_mut().zip(&sums) {
        for (four, sum) in sums.as_flattened().iter().enumerate() {
            // SAFETY: Within the 32 scores.
            unsafe { vst1q_f32(scores.as_mut_ptr().add(group * LANES + 4 * four), *sum) };
        }
    }
}

/// As [`super::weigh::weigh`].
///
/// # Safety
///
/// The CPU must have Advanced SIMD; sums have the dimensions of the tile, and `ends` are at most 32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn weigh<const H: usize>(
    tile: &Quanta<'_>,
    p: &[[f32; TILE]; H],
    ends: [usize; H],
    heads: &mut [Head<'_>; H],
) {
    let size = heads.first().map_or(0, |head| head.partial.sum.len());
    let sums = heads.each_mut().map(|head| head.partial.sum.as_mut_ptr());
    let mut at = 0;
    // SAFETY: Up to dimension `size`, and the caller's promise.
    unsafe {
        while H == 1 && at + 32 <= size {
            some_dimensions::<H, 4>(tile, size, at, p, ends, sums);
            at += 32;
        }
        while at + 16 <= size {
            some_dimensions::<H, 2>(tile, size, at, p, ends, sums);
            at += 16;
        }
        if at + 8 <= size {
            some_dimensions::<H, 1>(tile, size, at, p, ends, sums);
            at += 8;
        }
    }
    if at == size {
        return;
    }
    for ((head, p), end) in heads.iter_mut().zip(p).zip(ends) {
        for (position, p) in p.iter().enumerate().take(end) {
            let values = tile.values(position);
            for (sum, value) in head.partial.sum.iter_mut().zip(values).skip(at) {
                *sum = fma(*p, value, *sum);
            }
        }
    }
}

/// [`weigh`] for 8 * `E` dimensions from `at` on, which are of one block.
///
/// # Safety
///
/// As for [`weigh`], with `size` dimensions, at least `at + 8 * E`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn some_dimensions<const H: usize, const E: usize>(
    tile: &Quanta<'_>,
    size: usize,
    at: usize,
    p: &[[f32; TILE]; H],
    ends: [usize; H],
    sums: [*mut f32; H],
) {
    let least = ends.iter().fold(TILE, |least, end| least.min(*end));
    let most = ends.iter().fold(0, |most, end| most.max(*end));
    let mut totals = [[[vdupq_n_f32(0.0); 2]; E]; H];
    for (totals, sum) in totals.iter_mut().zip(sums) {
        for (four, total) in totals.as_flattened_mut().iter_mut().enumerate() {
            // SAFETY: The sums reach that far, by the caller's promise.
            *total = unsafe { vld1q_f32(sum.add(at + 4 * four)) };
        }
    }
    let mut row = tile.values.as_ptr().wrapping_add(at);
    let mut scale = tile.value_scales.as_ptr().wrapping_add(at / BLOCK);
    let blocks = size.div_ceil(BLOCK);
    let mut position = 0;
    while position + 4 <= least {
        // SAFETY: `position + 4` is at most 32.
        let weights = p
            .each_ref()
            .map(|p| unsafe { vld1q_f32(p.as_ptr().add(position)) });
        macro_rules! one {
            ($lane:literal) => {
                // SAFETY: There is a scale for each block of a row below `least`.
                let scales = for_all(unsafe { *scale });
                for e in 0..E {
                    // SAFETY: Within a row below `least`.
                    let [low, high] = unsafe { widen(row.add(8 * e), scales) };
                    for (totals, weights) in totals.iter_mut().zip(weights) {
                        totals[e][0] = vfmaq_laneq_f32::<$lane>(totals[e][0], low, weights);
                        totals[e][1] = vfmaq_laneq_f32::<$lane>(totals[e][1], high, weights);
                    }
                }
                (row, scale) = (row.wrapping_add(size), scale.wrapping_add(blocks));
            };
        }
        one!(0);
        one!(1);
        one!(2);
        one!(3);
        position += 4;
    }
    // The last positions, which only some of the heads attend to.
    while position < most {
        // SAFETY: Within a row below `most`, and its scale.
        let values: [Eight; E] = unsafe {
            let scales = for_all(*scale);
            core::array::from_fn(|e| widen(row.add(8 * e), scales))
        };
        for ((totals, p), end) in totals.iter_mut().zip(p).zip(ends) {
            if position >= end {
                continue;
            }
            // SAFETY: `position` is below 32.
            let p = unsafe { *p.get_unchecked(position) };
            for ([a, b], [low, high]) in totals.iter_mut().zip(values) {
                *a = vfmaq_n_f32(*a, low, p);
                *b = vfmaq_n_f32(*b, high, p);
            }
        }
        (row, scale) = (row.wrapping_add(size), scale.wrapping_add(blocks));
        position += 1;
    }
    for (sum, totals) in sums.into_iter().zip(&totals) {
        for (four, total) in totals.as_flattened().iter().enumerate() {
            // SAFETY: As above.
            unsafe { vst1q_f32(sum.add(at + 4 * four), *total) };
        }
    }
}
