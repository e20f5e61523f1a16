// SPDX-License-Identifier: GPL-2.0
//! Attention in vectors: eight sums hide the latency of the multiply-add, whatever they are of.

use super::{Cell, HEADS, LANES, TILE};
use crate::math::fma::fma;
use crate::simd::neon::{Eight, load_f16, load_f32, store};
use crate::simd::pieces::pieces;
use core::arch::aarch64::*;
use core::ops::Range;

/// A stored type that vectors widen.
pub trait Widen: Cell {
    /// Eight values.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD.
    unsafe fn eight(values: &[Self; 8]) -> Eight;

    /// Four times eight values, which follow each other.
    ///
    /// # Safety
    ///
    /// As for `eight`.
    unsafe fn four_eights(values: &[[Self; 8]; 4]) -> [Eight; 4];
}

impl Widen for [u8; 2] {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn eight(values: &[Self; 8]) -> Eight {
        load_f16(values)
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn four_eights(values: &[[Self; 8]; 4]) -> [Eight; 4] {
        // SAFETY: `values` has the 64 bytes that are read.
        let int16x8x4_t(a, b, c, d) = unsafe { vld1q_s16_x4(values.as_ptr().cast()) };
        [a, b, c, d].map(|halves| {
            let halves = vreinterpretq_f16_s16(halves);
            [
                vcvt_f32_f16(vget_low_f16(halves)),
                vcvt_high_f32_f16(halves),
            ]
        })
    }
}

impl Widen for [u8; 4] {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn eight(values: &[Self; 8]) -> Eight {
        let [a, b, c, d, e, f, g, h] = *values;
        [load_f32(&[a, b, c, d]), load_f32(&[e, f, g, h])]
    }

    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn four_eights(values: &[[Self; 8]; 4]) -> [Eight; 4] {
        // SAFETY: The caller's promise.
        values
            .each_ref()
            .map(|values| unsafe { Self::eight(values) })
    }
}

/// Four f32 of `values` from `at` on.
///
/// # Safety
///
/// `values` has at least `at + 4` values.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn four(values: &[f32], at: usize) -> float32x4_t {
    // SAFETY: The caller's promise.
    unsafe { vld1q_f32(values.as_ptr().add(at)) }
}

/// Runs `$body` for the heads from `$first` on, as many at a time as `$heads` says: 4, 2 or 1.
macro_rules! by_heads {
    ($count:expr, $first:ident, $heads:ident => $body:expr) => {
        let count = $count.min(HEADS);
        let mut $first = 0;
        while $first < count {
            match count - $first {
                4.. => {
                    const $heads: usize = 4;
                    $body;
                    $first += 4;
                }
                2 | 3 => {
                    const $heads: usize = 2;
                    $body;
                    $first += 2;
                }
                _ => {
                    const $heads: usize = 1;
                    $body;
                    $first += 1;
                }
            }
        }
    };
}

/// As [`super::scores`], for the first `groups` groups of positions.
#[target_feature(enable = "neon")]
pub fn scores<T: Widen>(keys: &[T], queries: &[&[f32]], groups: usize, scores: &mut [[f32; TILE]]) {
    let (keys, _) = keys.as_chunks::<LANES>();
    by_heads!(queries.len().min(scores.len()), first, H => {
        let queries = queries.get(first..).and_then(|rest| rest.first_chunk::<H>());
        let scores = scores.get_mut(first..).and_then(|rest| rest.first_chunk_mut::<H>());
        if let (Some(queries), Some(scores)) = (queries, scores) {
            // As many groups at a time as make up eight sums.
            let mut group = 0;
            while group + TOGETHER[H] <= groups {
                match H {
                    1 => some_groups::<T, H, 4>(keys, queries, group, scores),
                    2 => some_groups::<T, H, 2>(keys, queries, group, scores),
                    _ => some_groups::<T, H, 1>(keys, queries, group, scores),
                }
                group += TOGETHER[H];
            }
            while group < groups {
                some_groups::<T, H, 1>(keys, queries, group, scores);
                group += 1;
            }
        }
    });
}

/// Groups of positions, or eights of dimensions, by number of heads: eight sums.
const TOGETHER: [usize; HEADS + 1] = [1, 4, 2, 1, 1];

/// Scores of `G` groups of positions from `group` on with `H` queries.
#[inline]
#[target_feature(enable = "neon")]
fn some_groups<T: Widen, const H: usize, const G: usize>(
    keys: &[[T; LANES]],
    queries: &[&[f32]; H],
    group: usize,
    scores: &mut [[f32; TILE]; H],
) {
    let size = queries.first().map_or(0, |query| query.len());
    let mut groups = pieces(keys, size).skip(group);
    let keys: [&[[T; LANES]]; G] = core::array::from_fn(|_| groups.next().unwrap_or_default());
    if keys.iter().any(|keys| keys.len() != size) || queries.iter().any(|q| q.len() != size) {
        return;
    }
    let mut sums = [[[vdupq_n_f32(0.0); 2]; G]; H];
    let mut dimension = 0;
    while dimension + 4 <= size {
        // SAFETY: All queries have `size` dimensions.
        let q = queries.map(|query| unsafe { four(query, dimension) });
        // SAFETY: Each group has `size` dimensions, four of them from here on.
        let keys =
            keys.map(|keys| unsafe { T::four_eights(&*keys.as_ptr().add(dimension).cast()) });
        macro_rules! one {
            ($lane:literal) => {
                for (g, keys) in keys.iter().enumerate() {
                    let [low, high] = keys[$lane];
                    for (sums, q) in sums.iter_mut().zip(q) {
                        sums[g][0] = vfmaq_laneq_f32::<$lane>(sums[g][0], low, q);
                        sums[g][1] = vfmaq_laneq_f32::<$lane>(sums[g][1], high, q);
                    }
                }
            };
        }
        one!(0);
        one!(1);
        one!(2);
        one!(3);
        dimension += 4;
    }
    while dimension < size {
        for (g, keys) in keys.iter().enumerate() {
            // SAFETY: As above.
            let [low, high] = unsafe { T::eight(keys.get_unchecked(dimension)) };
            for (sums, query) in sums.iter_mut().zip(queries) {
                // SAFETY: As above.
                let q = unsafe { *query.get_unchecked(dimension) };
                sums[g][0] = vfmaq_n_f32(sums[g][0], low, q);
                sums[g][1] = vfmaq_n_f32(sums[g][1], high, q);
            }
        }
        dimension += 1;
    }
    for (scores, sums) in scores.iter_mut().zip(&sums) {
        let fours = scores.get_mut(group * LANES..).unwrap_or_default();
        let (fours, _) = fours.as_chunks_mut::<4>();
        for (score, sum) in fours.iter_mut().zip(sums.as_flattened()) {
            store(score, *sum);
        }
    }
}

/// As [`super::weigh`].
#[target_feature(enable = "neon")]
pub fn weigh<T: Widen>(
    values: &[T],
    range: Range<usize>,
    p: &[[f32; TILE]],
    sums: &mut [&mut [f32]],
) {
    let size = sums.first().map_or(0, |sum| sum.len());
    let reach = range.end.saturating_mul(size);
    if values.len() < reach || range.end > TILE || sums.iter().any(|sum| sum.len() != size) {
        return;
    }
    by_heads!(sums.len().min(p.len()), first, H => {
        let p = p.get(first..).and_then(|rest| rest.first_chunk::<H>());
        let sums = sums.get_mut(first..).and_then(|rest| rest.first_chunk_mut::<H>());
        if let (Some(p), Some(sums)) = (p, sums) {
            let mut at = 0;
            while at + 8 * TOGETHER[H] <= size {
                // SAFETY: `values` has `range.end` rows of `size`, as checked above.
                unsafe {
                    match H {
                        1 => some_dimensions::<T, H, 4>(values, at, range.clone(), p, sums),
                        2 => some_dimensions::<T, H, 2>(values, at, range.clone(), p, sums),
                        _ => some_dimensions::<T, H, 1>(values, at, range.clone(), p, sums),
                    }
                }
                at += 8 * TOGETHER[H];
            }
            while at + 8 <= size {
                // SAFETY: As above.
                unsafe { some_dimensions::<T, H, 1>(values, at, range.clone(), p, sums) };
                at += 8;
            }
            for (sum, p) in sums.iter_mut().zip(p) {
                for (dimension, sum) in sum.iter_mut().enumerate().skip(at) {
                    let rows = pieces(values, size).zip(p).skip(range.start);
                    for (row, p) in rows.take(range.len()) {
                        let value = row.get(dimension).map_or(0.0, |value| value.widen());
                        *sum = fma(*p, value, *sum);
                    }
                }
            }
        }
    });
}

/// `E` times eight values from `row` on.
///
/// # Safety
///
/// `row` has `E` * 8 values; the CPU has Advanced SIMD.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn row_of<T: Widen, const E: usize>(row: *const T) -> [Eight; E] {
    // SAFETY: The caller's promise.
    unsafe {
        if E == 4 {
            let all = T::four_eights(&*row.cast());
            core::array::from_fn(|e| all[e % 4])
        } else {
            core::array::from_fn(|e| T::eight(&*row.add(8 * e).cast()))
        }
    }
}

/// The sums of 8 * `E` dimensions from `at` on, for `H` heads.
///
/// # Safety
///
/// All sums have the same length, at least `at + 8 * E`; `values` has at least `range.end` rows of
/// that length, and `range.end` is at most [`TILE`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn some_dimensions<T: Widen, const H: usize, const E: usize>(
    values: &[T],
    at: usize,
    range: Range<usize>,
    p: &[[f32; TILE]; H],
    sums: &mut [&mut [f32]; H],
) {
    let size = sums.first().map_or(0, |sum| sum.len());
    let mut totals = [[[vdupq_n_f32(0.0); 2]; E]; H];
    for (totals, sum) in totals.iter_mut().zip(sums.iter()) {
        for (e, totals) in totals.iter_mut().enumerate() {
            // SAFETY: The sums reach that far, by the caller's promise.
            *totals = unsafe { [four(sum, at + 8 * e), four(sum, at + 8 * e + 4)] };
        }
    }
    let mut row = values.as_ptr().wrapping_add(range.start * size + at);
    let mut position = range.start;
    while position + 4 <= range.end {
        // SAFETY: `position + 4` is at most 32.
        let weights = p.each_ref().map(|p| unsafe { four(p, position) });
        macro_rules! one {
            ($lane:literal) => {
                // SAFETY: Within a row below `range.end`; any bytes are eight values.
                let values: [Eight; E] = unsafe { row_of(row) };
                for (e, [low, high]) in values.into_iter().enumerate() {
                    for (totals, weights) in totals.iter_mut().zip(weights) {
                        totals[e][0] = vfmaq_laneq_f32::<$lane>(totals[e][0], low, weights);
                        totals[e][1] = vfmaq_laneq_f32::<$lane>(totals[e][1], high, weights);
                    }
                }
                row = row.wrapping_add(size);
            };
        }
        one!(0);
        one!(1);
        one!(2);
        one!(3);
        position += 4;
    }
    while position < range.end {
        for e in 0..E {
            // SAFETY: As above.
            let [low, high] = unsafe { T::eight(&*row.add(8 * e).cast()) };
            for (totals, p) in totals.iter_mut().zip(p) {
                // SAFETY: `position` is below 32.
                let p = unsafe { *p.get_unchecked(position) };
                totals[e][0] = vfmaq_n_f32(totals[e][0], low, p);
                totals[e][1] = vfmaq_n_f32(totals[e][1], high, p);
            }
        }
        row = row.wrapping_add(size);
        position += 1;
    }
    for (sum, totals) in sums.iter_mut().zip(&totals) {
        let (fours, _) = sum.get_mut(at..).unwrap_or_default().as_chunks_mut::<4>();
        for (sum, total) in fours.iter_mut().zip(totals.as_flattened()) {
            store(sum, *total);
        }
    }
}
