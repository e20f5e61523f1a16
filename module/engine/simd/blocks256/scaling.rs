// SPDX-License-Identifier: GPL-2.0
//! Scales and minima of blocks of 256.

use crate::simd::group::GROUP_ROWS;
#[cfg(target_arch = "aarch64")]
use crate::simd::neon::{Eight, load, load_f32, zip_fours};
use crate::simd::plain::Plain;
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::*;

/// What turns the quanta of 16 rows into weights.
pub(crate) trait Scaling: Plain {
    /// That of one row.
    type Row: Plain;
    /// Parts of the block with a scale each: 8 or 16.
    const PARTS: usize;
    /// Whether there are minima.
    const MINIMUM: bool;

    /// Sets that of the row in `lane`.
    fn set(&mut self, lane: usize, row: &Self::Row);
    /// What multiplies the scales of the row in `lane`.
    fn d(&self, lane: usize) -> f32;
    /// What multiplies its minima.
    fn dmin(&self, lane: usize) -> f32;
    /// The scale of a part, -128 to 127; with minima it is not negative.
    fn scale(&self, part: usize, lane: usize) -> i32;
    /// The minimum of a part, 0 to 63, if there are any.
    fn minimum(&self, part: usize, lane: usize) -> Option<i32>;

    /// What multiplies the scales and the minima of a half of the rows; without minima the second
    /// has no meaning.
    #[cfg(target_arch = "aarch64")]
    fn factors(&self, half: usize) -> [Eight; 2];
    /// The scales of a part of all rows.
    #[cfg(target_arch = "aarch64")]
    fn scales(&self, part: usize) -> int8x16_t;
    /// The minima of a half of the rows, as [parts 4j to 4j + 3][rows 0 to 3, rows 4 to 7], row by
    /// row; those past the parts have no meaning.
    #[cfg(target_arch = "aarch64")]
    fn minima(&self, half: usize) -> [[int8x16_t; 2]; 4];
    /// The minima of the rows `first` and `first` + 1, as [parts 8j to 8j + 7][row]; those past
    /// the parts have no meaning.
    #[cfg(target_arch = "aarch64")]
    fn minima_of_pair(&self, first: usize) -> [int8x16_t; 2];
}

/// An f32 and 8-bit scales for `PARTS` parts of one row.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct StepsRow<const PARTS: usize> {
    /// What multiplies the scales.
    pub d: [u8; 4],
    /// The scales.
    pub scales: [i8; PARTS],
}

/// An f32 and 8-bit scales for `PARTS` parts.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Steps<const PARTS: usize> {
    d: [[[[u8; 4]; 4]; 2]; 2],
    scales: [[i8; GROUP_ROWS]; PARTS],
}

// SAFETY: arrays of bytes without padding.
unsafe impl<const PARTS: usize> Plain for StepsRow<PARTS> {}
// SAFETY: as above.
unsafe impl<const PARTS: usize> Plain for Steps<PARTS> {}

impl<const PARTS: usize> Scaling for Steps<PARTS> {
    type Row = StepsRow<PARTS>;
    const PARTS: usize = PARTS;
    const MINIMUM: bool = false;

    fn set(&mut self, lane: usize, row: &StepsRow<PARTS>) {
        self.d[lane / 8 % 2][lane / 4 % 2][lane % 4] = row.d;
        for (scales, scale) in self.scales.iter_mut().zip(row.scales) {
            scales[lane % GROUP_ROWS] = scale;
        }
    }

    #[inline(always)]
    fn d(&self, lane: usize) -> f32 {
        f32::from_le_bytes(self.d[lane / 8 % 2][lane / 4 % 2][lane % 4])
    }

    #[inline(always)]
    fn dmin(&self, _lane: usize) -> f32 {
        0.0
    }

    #[inline(always)]
    fn scale(&self, part: usize, lane: usize) -> i32 {
        i32::from(self.scales[part % PARTS][lane % GROUP_ROWS])
    }

    #[inline(always)]
    fn minimum(&self, _part: usize, _lane: usize) -> Option<i32> {
        None
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn factors(&self, half: usize) -> [Eight; 2] {
        // SAFETY: Advanced SIMD is part of the target.
        [unsafe { eight(&self.d[half % 2]) }; 2]
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn scales(&self, part: usize) -> int8x16_t {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { load(&self.scales[part % PARTS]) }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima(&self, _half: usize) -> [[int8x16_t; 2]; 4] {
        // SAFETY: Advanced SIMD is part of the target.
        [unsafe { [vdupq_n_s8(0); 2] }; 4]
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima_of_pair(&self, _first: usize) -> [int8x16_t; 2] {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { [vdupq_n_s8(0); 2] }
    }
}

/// [`StepsRow`] with scales from 0 to 127, and the same for minima from 0 to 63.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct MinimaRow<const PARTS: usize> {
    /// The scales.
    pub steps: StepsRow<PARTS>,
    /// What multiplies the minima.
    pub dmin: [u8; 4],
    /// The minima.
    pub minima: [i8; PARTS],
}

/// [`Steps`], and the same for minima from 0 to 63.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Minima<const PARTS: usize> {
    steps: Steps<PARTS>,
    dmin: [[[[u8; 4]; 4]; 2]; 2],
    /// As [four of the rows][parts 4j to 4j + 3], each [row][part].
    minima: [[[i8; 4]; 4]; PARTS],
}

// SAFETY: arrays of bytes without padding.
unsafe impl<const PARTS: usize> Plain for MinimaRow<PARTS> {}
// SAFETY: as above.
unsafe impl<const PARTS: usize> Plain for Minima<PARTS> {}

impl<const PARTS: usize> Scaling for Minima<PARTS> {
    type Row = MinimaRow<PARTS>;
    const PARTS: usize = PARTS;
    const MINIMUM: bool = true;

    fn set(&mut self, lane: usize, row: &MinimaRow<PARTS>) {
        self.steps.set(lane, &row.steps);
        self.dmin[lane / 8 % 2][lane / 4 % 2][lane % 4] = row.dmin;
        for (j, four) in row.minima.as_chunks::<4>().0.iter().enumerate() {
            self.minima[(lane / 4 * (PARTS / 4) + j) % PARTS][lane % 4] = *four;
        }
    }

    #[inline(always)]
    fn d(&self, lane: usize) -> f32 {
        self.steps.d(lane)
    }

    #[inline(always)]
    fn dmin(&self, lane: usize) -> f32 {
        f32::from_le_bytes(self.dmin[lane / 8 % 2][lane / 4 % 2][lane % 4])
    }

    #[inline(always)]
    fn scale(&self, part: usize, lane: usize) -> i32 {
        self.steps.scale(part, lane)
    }

    #[inline(always)]
    fn minimum(&self, part: usize, lane: usize) -> Option<i32> {
        let four = (lane / 4 * (PARTS / 4) + part / 4) % PARTS;
        Some(i32::from(self.minima[four][lane % 4][part % 4]))
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn factors(&self, half: usize) -> [Eight; 2] {
        // SAFETY: Advanced SIMD is part of the target.
        [&self.steps.d, &self.dmin].map(|factors| unsafe { eight(&factors[half % 2]) })
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn scales(&self, part: usize) -> int8x16_t {
        self.steps.scales(part)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima(&self, half: usize) -> [[int8x16_t; 2]; 4] {
        core::array::from_fn(|j| [2 * half, 2 * half + 1].map(|four| self.four(four, j)))
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima_of_pair(&self, first: usize) -> [int8x16_t; 2] {
        let four = |j: usize| self.four(first / 4, j);
        // SAFETY: Advanced SIMD is part of the target.
        [0, 2].map(|j| unsafe { zip_fours(four(j), four(j + 1), first / 2 % 2) })
    }
}

#[cfg(target_arch = "aarch64")]
impl<const PARTS: usize> Minima<PARTS> {
    /// The minima of parts 4j to 4j + 3 of four rows.
    #[inline(always)]
    fn four(&self, four: usize, j: usize) -> int8x16_t {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { load(&self.minima[(four * (PARTS / 4) + j) % PARTS]) }
    }
}

#[cfg(target_arch = "aarch64")]
#[inline]
#[target_feature(enable = "neon")]
fn eight(numbers: &[[[u8; 4]; 4]; 2]) -> Eight {
    numbers.each_ref().map(|four| load_f32(four))
}
