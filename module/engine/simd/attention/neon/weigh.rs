// SPDX-License-Identifier: GPL-2.0
//! Weighted sums of a tile's values.

use super::Widen;
use crate::math::fma::fma;
use crate::simd::attention::{Head, TILE};
use crate::simd::neon::Eight;
use crate::simd::pieces::pieces;
use core::arch::aarch64::*;
use core::arch::asm;

/// A stored type with a loop of its own for one head and 32 dimensions.
pub(crate) trait Positions: Sized {
    /// Adds weight times value to `sums` of 32 dimensions for the positions from 0 on, ascending,
    /// whose values lie `stride` apart; says how many of `count` it has done.
    ///
    /// # Safety
    ///
    /// The CPU must have Advanced SIMD; there are `count` rows of 32 values, and as many weights.
    unsafe fn add_positions(
        _row: *const Self,
        _stride: usize,
        _p: *const f32,
        _count: usize,
        sums: [Eight; 4],
    ) -> ([Eight; 4], usize) {
        (sums, 0)
    }
}

impl Positions for [u8; 4] {}

/// Adds 32 dimensions of a position, whose weight is `$p`.
macro_rules! one_position {
    ($p:literal) => {
        concat!(
            "ld1 {{ v16.8h, v17.8h, v18.8h, v19.8h }}, [{row}], {stride}\n",
            widen!(),
            "fmla {s0:v}.4s, v20.4s, ",
            $p,
            "\n",
            "fmla {s1:v}.4s, v21.4s, ",
            $p,
            "\n",
            "fmla {s2:v}.4s, v22.4s, ",
            $p,
            "\n",
            "fmla {s3:v}.4s, v23.4s, ",
            $p,
            "\n",
            "fmla {s4:v}.4s, v24.4s, ",
            $p,
            "\n",
            "fmla {s5:v}.4s, v25.4s, ",
            $p,
            "\n",
            "fmla {s6:v}.4s, v26.4s, ",
            $p,
            "\n",
            "fmla {s7:v}.4s, v27.4s, ",
            $p,
            "\n",
        )
    };
}

impl Positions for [u8; 2] {
    // In assembler as `Dimensions::add_dimensions`.
    #[inline]
    #[target_feature(enable = "neon")]
    unsafe fn add_positions(
        row: *const Self,
        stride: usize,
        p: *const f32,
        count: usize,
        mut sums: [Eight; 4],
    ) -> ([Eight; 4], usize) {
        let eights = count / 8;
        if eights == 0 {
            return (sums, 0);
        }
        // SAFETY: reads `eights` times eight rows of 32 values and as many weights.
        unsafe {
            asm!(
                "2:",
                "ldp q28, q29, [{p}], #32",
                one_position!("v28.s[0]"),
                one_position!("v28.s[1]"),
                one_position!("v28.s[2]"),
                one_position!("v28.s[3]"),
                one_position!("v29.s[0]"),
                one_position!("v29.s[1]"),
                one_position!("v29.s[2]"),
                one_position!("v29.s[3]"),
                "subs {eights}, {eights}, #1",
                "b.ne 2b",
                row = inout(reg) row => _,
                stride = in(reg) 2 * stride,
                p = inout(reg) p => _,
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

/// Sum d of head h = fma(`p[h][i]`, value i in dimension d, sum d) for the first `ends[h]`
/// positions, ascending.
///
/// # Safety
///
/// The CPU must have Advanced SIMD; there are 32 rows of as many dimensions as each head has sums,
/// and `ends` are at most 32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) unsafe fn weigh<T: Widen, const H: usize>(
    values: &[T],
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
            some_dimensions::<T, H, 4>(values, size, at, p, ends, sums);
            at += 32;
        }
        while at + 16 <= size {
            some_dimensions::<T, H, 2>(values, size, at, p, ends, sums);
            at += 16;
        }
        if at + 8 <= size {
            some_dimensions::<T, H, 1>(values, size, at, p, ends, sums);
            at += 8;
        }
    }
    if at == size {
        return;
    }
    for ((head, p), end) in heads.iter_mut().zip(p).zip(ends) {
        for (row, p) in pieces(values, size).zip(p).take(end) {
            for (sum, value) in head.partial.sum.iter_mut().zip(row).skip(at) {
                *sum = fma(*p, value.widen(), *sum);
            }
        }
    }
}

/// [`weigh`] for 8 * `E` dimensions from `at` on.
///
/// # Safety
///
/// As for [`weigh`], with `size` dimensions, at least `at + 8 * E`.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn some_dimensions<T: Widen, const H: usize, const E: usize>(
    values: &[T],
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
    let mut row = values.as_ptr().wrapping_add(at);
    let mut position = 0;
    if let ([p], [totals]) = (&p[..], &mut totals[..])
        && let Some(totals) = totals.first_chunk_mut::<4>()
    {
        // SAFETY: There are `least` rows that reach 32 dimensions from `at` on, and 32 weights.
        (*totals, position) = unsafe { T::add_positions(row, size, p.as_ptr(), least, *totals) };
        row = row.wrapping_add(position * size);
    }
    while position + 4 <= least {
        // SAFETY: `position + 4` is at most 32.
        let weights = p
            .each_ref()
            .map(|p| unsafe { vld1q_f32(p.as_ptr().add(position)) });
        macro_rules! one {
            ($lane:literal) => {
                for e in 0..E {
                    // SAFETY: Within a row below `least`.
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
    // The last positions, which only some of the heads attend to.
    while position < most {
        // SAFETY: Within a row below `most`.
        let values: [Eight; E] =
            core::array::from_fn(|e| unsafe { T::eight(&*row.add(8 * e).cast()) });
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
        row = row.wrapping_add(size);
        position += 1;
    }
    for (sum, totals) in sums.into_iter().zip(&totals) {
        for (four, total) in totals.as_flattened().iter().enumerate() {
            // SAFETY: As above.
            unsafe { vst1q_f32(sum.add(at + 4 * four), *total) };
        }
    }
}
