// SPDX-License-Identifier: GPL-2.0
//! Scores of a tile's positions.

use super::Widen;
use crate::simd::attention::{Head, LANES, TILE};
use crate::simd::neon::Eight;
use core::arch::aarch64::*;
use core::arch::asm;

/// A stored type with a loop of its own for one query and four groups of positions.
pub(crate) trait Dimensions: Sized {
    /// Adds key times query to `sums` of four groups for the dimensions from 0 on, ascending; says
    /// how many of `size` it has done.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD; each group has `size` dimensions of eight positions, the
    /// query as many.
    unsafe fn add_dimensions(
        _keys: [*const Self; 4],
        _query: *const f32,
        _size: usize,
        sums: [Eight; 4],
    ) -> ([Eight; 4], usize) {
        (sums, 0)
    }
}

impl Dimensions for [u8; 4] {}

/// Adds four dimensions of a group of positions, times those of the query in `$q`, to the sums
/// `$low` and `$high`.
macro_rules! four_dimensions {
    ($keys:literal, $low:literal, $high:literal, $q:literal) => {
        concat!(
            "ld1 {{ v16.8h, v17.8h, v18.8h, v19.8h }}, [",
            $keys,
            "], #64\n",
            widen!(),
            "fmla ",
            $low,
            ".4s, v20.4s, ",
            $q,
            ".s[0]\n",
            "fmla ",
            $high,
            ".4s, v21.4s, ",
            $q,
            ".s[0]\n",
            "fmla ",
            $low,
            ".4s, v22.4s, ",
            $q,
            ".s[1]\n",
            "fmla ",
            $high,
            ".4s, v23.4s, ",
            $q,
            ".s[1]\n",
            "fmla ",
            $low,
            ".4s, v24.4s, ",
            $q,
            ".s[2]\n",
            "fmla ",
            $high,
            ".4s, v25.4s, ",
            $q,
            ".s[2]\n",
            "fmla ",
            $low,
            ".4s, v26.4s, ",
            $q,
            ".s[3]\n",
            "fmla ",
            $high,
            ".4s, v27.4s, ",
            $q,
            ".s[3]\n",
        )
    };
}

impl Dimensions for [u8; 2] {
    // In assembler: the compiler loads two vectors at a time, and this four.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn add_dimensions(
        keys: [*const Self; 4],
        query: *const f32,
        size: usize,
        mut sums: [Eight; 4],
    ) -> ([Eight; 4], usize) {
        let eights = size / 8;
        if eights == 0 {
            return (sums, 0);
        }
        let [k0, k1, k2, k3] = keys;
        // SAFETY: reads `eights` times eight dimensions of the groups and the query.
        unsafe {
            asm!(
                "2:",
                "ldp q28, q29, [{query}], #32",
                four_dimensions!("{k0}", "{s0:v}", "{s1:v}", "v28"),
                four_dimensions!("{k1}", "{s2:v}", "{s3:v}", "v28"),
                four_dimensions!("{k2}", "{s4:v}", "{s5:v}", "v28"),
                four_dimensions!("{k3}", "{s6:v}", "{s7:v}", "v28"),
                four_dimensions!("{k0}", "{s0:v}", "{s1:v}", "v29"),
                four_dimensions!("{k1}", "{s2:v}", "{s3:v}", "v29"),
                four_dimensions!("{k2}", "{s4:v}", "{s5:v}", "v29"),
                four_dimensions!("{k3}", "{s6:v}", "{s7:v}", "v29"),
                "subs {eights}, {eights}, #1",
                "b.ne 2b",
                k0 = inout(reg) k0 => _, k1 = inout(reg) k1 => _,
                k2 = inout(reg) k2 => _, k3 = inout(reg) k3 => _,
                query = inout(reg) query => _,
                eights = inout(reg) eights => _,
                s0 = inout(vreg) sums[0][0], s1 = inout(vreg) sums[0][1],
                s2 = inout(vreg) sums[1][0], s3 = inout(vreg) sums[1][1],
                s4 = inout(vreg) sums[2][0], s5 = inout(vreg) sums[2][1],
                s6 = inout(vreg) sums[3][0], s7 = inout(vreg) sums[3][1],
                out("v16") _, out("v17") _, out("v18") _, out("v19") _, out("v20") _,
                out("v21") _, out("v22") _, out("v23") _, out("v24") _, out("v25") _,
                out("v26") _, out("v27") _, out("v28") _, out("v29") _,
                options(readonly, nostack),
            );
        }
        (sums, 8 * eights)
    }
}

/// `scores[h][i]` = chain of fma of query h and key i over the dimensions ascending, for the groups
/// of positions that some head attends to; other scores stay as they are.
///
/// # Safety
///
/// The CPU must have Advanced SIMD; there are four groups of as many dimensions as each query has.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn scores<T: Widen, const H: usize>(
    keys: &[[T; LANES]],
    heads: &[Head<'_>; H],
    ends: [usize; H],
    scores: &mut [[f32; TILE]; H],
) {
    let groups = ends.into_iter().max().unwrap_or(0).div_ceil(LANES);
    let queries = heads.each_ref().map(|head| head.query);
    // SAFETY: The caller's promise; an end is at most 32.
    unsafe {
        let mut group = 0;
        if H == 1 && groups == 4 {
            return some_groups::<T, H, 4>(keys, queries, group, scores);
        }
        while group + 2 <= groups {
            some_groups::<T, H, 2>(keys, queries, group, scores);
            group += 2;
        }
        if group < groups {
            some_groups::<T, H, 1>(keys, queries, group, scores);
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
unsafe fn some_groups<T: Widen, const H: usize, const G: usize>(
    keys: &[[T; LANES]],
    queries: [&[f32]; H],
    group: usize,
    scores: &mut [[f32; TILE]; H],
) {
    let size = queries.first().map_or(0, |query| query.len());
    let keys: [*const [T; LANES]; G] =
        core::array::from_fn(|g| keys.as_ptr().wrapping_add((group + g) * size));
    let mut sums = [[[vdupq_n_f32(0.0); 2]; G]; H];
    let mut dimension = 0;
    if let ([query], [sums], Some(keys)) = (&queries[..], &mut sums[..], keys.first_chunk::<4>())
        && let Some(sums) = sums.first_chunk_mut::<4>()
    {
        let keys = keys.map(|keys| keys.cast());
        // SAFETY: The groups and the query have `size` dimensions.
        (*sums, dimension) = unsafe { T::add_dimensions(keys, query.as_ptr(), size, *sums) };
    }
    while dimension + 4 <= size {
        // SAFETY: All queries have `size` dimensions.
        let q = queries.map(|query| unsafe { vld1q_f32(query.as_ptr().add(dimension)) });
        for (g, keys) in keys.iter().enumerate() {
            macro_rules! one {
                ($lane:literal) => {
                    // SAFETY: Each group has `size` dimensions.
                    let [low, high] = unsafe { T::eight(&*keys.add(dimension + $lane)) };
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
    while dimension < size {
        for (g, keys) in keys.iter().enumerate() {
            // SAFETY: As above.
            let [low, high] = unsafe { T::eight(&*keys.add(dimension)) };
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
        for (four, sum) in sums.as_flattened().iter().enumerate() {
            // SAFETY: Within the 32 scores.
            unsafe { vst1q_f32(scores.as_mut_ptr().add(group * LANES + 4 * four), *sum) };
        }
    }
}
