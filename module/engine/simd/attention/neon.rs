// SPDX-License-Identifier: GPL-2.0
//! Attention in vectors: eight sums hide the latency of the multiply-add, whatever they are of.

use super::{Cell, HEADS, LANES, TILE};
use crate::math::fma::fma;
use crate::simd::neon::{Eight, load_f16, load_f32, store};
use crate::simd::pieces::pieces;
use core::arch::aarch64::*;
use core::arch::asm;
use core::ops::Range;

/// A stored type that vectors widen.
pub trait Widen: Cell {
    /// Eight values.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD.
    unsafe fn eight(values: &[Self; 8]) -> Eight;

    /// `sums` of four groups of positions + keys times query, for `fours` times four dimensions
    /// ascending.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD; each group has `fours` times four dimensions of eight
    /// positions, the query as many.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn add_dimensions(
        keys: [*const Self; 4],
        query: *const f32,
        fours: usize,
        sums: &mut [Eight; 4],
    ) {
        for dimension in 0..4 * fours {
            for (keys, [low, high]) in keys.iter().zip(sums.iter_mut()) {
                // SAFETY: The caller's promise.
                let ([a, b], q) = unsafe {
                    (
                        Self::eight(&*keys.add(LANES * dimension).cast()),
                        *query.add(dimension),
                    )
                };
                *low = vfmaq_n_f32(*low, a, q);
                *high = vfmaq_n_f32(*high, b, q);
            }
        }
    }

    /// `sums` of 32 dimensions + weight times value, for `fours` times four positions ascending,
    /// whose values lie `stride` apart.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD; there are `fours` times four rows of 32 values and weights.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn add_positions(
        row: *const Self,
        stride: usize,
        p: *const f32,
        fours: usize,
        sums: &mut [Eight; 4],
    ) {
        for position in 0..4 * fours {
            for (e, [low, high]) in sums.iter_mut().enumerate() {
                // SAFETY: The caller's promise.
                let ([a, b], p) = unsafe {
                    (
                        Self::eight(&*row.add(position * stride + 8 * e).cast()),
                        *p.add(position),
                    )
                };
                *low = vfmaq_n_f32(*low, a, p);
                *high = vfmaq_n_f32(*high, b, p);
            }
        }
    }
}

/// Widens the 32 halves of v16 to v19 into v20 to v27.
macro_rules! widen {
    () => {
        concat!(
            "fcvtl v20.4s, v16.4h\n",
            "fcvtl2 v21.4s, v16.8h\n",
            "fcvtl v22.4s, v17.4h\n",
            "fcvtl2 v23.4s, v17.8h\n",
            "fcvtl v24.4s, v18.4h\n",
            "fcvtl2 v25.4s, v18.8h\n",
            "fcvtl v26.4s, v19.4h\n",
            "fcvtl2 v27.4s, v19.8h\n",
        )
    };
}

/// Adds four dimensions of a group of positions to the sums `$low` and `$high`.
macro_rules! four_dimensions {
    ($keys:literal, $low:literal, $high:literal) => {
        concat!(
            "ld1 {{ v16.8h, v17.8h, v18.8h, v19.8h }}, [",
            $keys,
            "], #64\n",
            widen!(),
            "fmla ",
            $low,
            ".4s, v20.4s, v28.s[0]\n",
            "fmla ",
            $high,
            ".4s, v21.4s, v28.s[0]\n",
            "fmla ",
            $low,
            ".4s, v22.4s, v28.s[1]\n",
            "fmla ",
            $high,
            ".4s, v23.4s, v28.s[1]\n",
            "fmla ",
            $low,
            ".4s, v24.4s, v28.s[2]\n",
            "fmla ",
            $high,
            ".4s, v25.4s, v28.s[2]\n",
            "fmla ",
            $low,
            ".4s, v26.4s, v28.s[3]\n",
            "fmla ",
            $high,
            ".4s, v27.4s, v28.s[3]\n",
        )
    };
}

/// Adds 32 dimensions of a position, whose weight lies in lane `$lane` of v28.
macro_rules! one_position {
    ($lane:literal) => {
        concat!(
            "ld1 {{ v16.8h, v17.8h, v18.8h, v19.8h }}, [{row}], {stride}\n",
            widen!(),
            "fmla {s0:v}.4s, v20.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s1:v}.4s, v21.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s2:v}.4s, v22.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s3:v}.4s, v23.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s4:v}.4s, v24.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s5:v}.4s, v25.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s6:v}.4s, v26.4s, v28.s[",
            $lane,
            "]\n",
            "fmla {s7:v}.4s, v27.4s, v28.s[",
            $lane,
            "]\n",
        )
    };
}

impl Widen for [u8; 2] {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn eight(values: &[Self; 8]) -> Eight {
        load_f16(values)
    }

    // In assembler: the compiler loads two vectors at a time, and takes 82 instructions where this
    // takes 71.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn add_dimensions(
        keys: [*const Self; 4],
        query: *const f32,
        fours: usize,
        sums: &mut [Eight; 4],
    ) {
        if fours == 0 {
            return;
        }
        let [k0, k1, k2, k3] = keys;
        // SAFETY: reads `fours` times four dimensions of the groups and the query.
        unsafe {
            asm!(
                "2:",
                "ldr q28, [{query}], #16",
                four_dimensions!("{k0}", "{s0:v}", "{s1:v}"),
                four_dimensions!("{k1}", "{s2:v}", "{s3:v}"),
                four_dimensions!("{k2}", "{s4:v}", "{s5:v}"),
                four_dimensions!("{k3}", "{s6:v}", "{s7:v}"),
                "subs {fours}, {fours}, #1",
                "b.ne 2b",
                k0 = inout(reg) k0 => _, k1 = inout(reg) k1 => _,
                k2 = inout(reg) k2 => _, k3 = inout(reg) k3 => _,
                query = inout(reg) query => _,
                fours = inout(reg) fours => _,
                s0 = inout(vreg) sums[0][0], s1 = inout(vreg) sums[0][1],
                s2 = inout(vreg) sums[1][0], s3 = inout(vreg) sums[1][1],
                s4 = inout(vreg) sums[2][0], s5 = inout(vreg) sums[2][1],
                s6 = inout(vreg) sums[3][0], s7 = inout(vreg) sums[3][1],
                out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
                out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
                out("v26") _, out("v27") _, out("v28") _,
                options(readonly, nostack),
            );
        }
    }

    // In assembler as `add_dimensions`.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn add_positions(
        row: *const Self,
        stride: usize,
        p: *const f32,
        fours: usize,
        sums: &mut [Eight; 4],
    ) {
        if fours == 0 {
            return;
        }
        // SAFETY: reads `fours` times four rows of 32 values and as many weights.
        unsafe {
            asm!(
                "2:",
                "ldr q28, [{p}], #16",
                one_position!("0"),
                one_position!("1"),
                one_position!("2"),
                one_position!("3"),
                "subs {fours}, {fours}, #1",
                "b.ne 2b",
                row = inout(reg) row => _,
                stride = in(reg) 2 * stride,
                p = inout(reg) p => _,
                fours = inout(reg) fours => _,
                s0 = inout(vreg) sums[0][0], s1 = inout(vreg) sums[0][1],
                s2 = inout(vreg) sums[1][0], s3 = inout(vreg) sums[1][1],
                s4 = inout(vreg) sums[2][0], s5 = inout(vreg) sums[2][1],
                s6 = inout(vreg) sums[3][0], s7 = inout(vreg) sums[3][1],
                out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
                out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
                out("v26") _, out("v27") _, out("v28") _,
                options(readonly, nostack),
            );
        }
    }
}

impl Widen for [u8; 4] {
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn eight(values: &[Self; 8]) -> Eight {
        let [a, b, c, d, e, f, g, h] = *values;
        [load_f32(&[a, b, c, d]), load_f32(&[e, f, g, h])]
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
    if let ([query], [sums], Some(keys)) = (&queries[..], &mut sums[..], keys.first_chunk::<4>())
        && let Some(sums) = sums.first_chunk_mut::<4>()
    {
        let keys = keys.map(|keys| keys.as_ptr().cast());
        // SAFETY: The groups and the query have `size` dimensions.
        unsafe { T::add_dimensions(keys, query.as_ptr(), size / 4, sums) };
        dimension = size / 4 * 4;
    }
    while dimension + 4 <= size {
        // SAFETY: All queries have `size` dimensions.
        let q = queries.map(|query| unsafe { four(query, dimension) });
        macro_rules! one {
            ($lane:literal) => {
                for (g, keys) in keys.iter().enumerate() {
                    // SAFETY: Each group has `size` dimensions.
                    let [low, high] = unsafe { T::eight(keys.get_unchecked(dimension + $lane)) };
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
    if let ([p], [totals]) = (&p[..], &mut totals[..])
        && let Some(totals) = totals.first_chunk_mut::<4>()
    {
        let fours = range.len() / 4;
        // SAFETY: `values` has `range.end` rows that reach 32 dimensions from `at` on, `p` as many
        // weights.
        unsafe { T::add_positions(row, size, p.as_ptr().add(position), fours, totals) };
        row = row.wrapping_add(4 * fours * size);
        position += 4 * fours;
    }
    while position + 4 <= range.end {
        // SAFETY: `position + 4` is at most 32.
        let weights = p.each_ref().map(|p| unsafe { four(p, position) });
        macro_rules! one {
            ($lane:literal) => {
                for e in 0..E {
                    // SAFETY: Within a row below `range.end`; any bytes are eight values.
                    let [low, high] = unsafe { T::eight(&*row.add(8 * e).cast()) };
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
