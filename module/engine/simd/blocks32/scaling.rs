// SPDX-License-Identifier: GPL-2.0
//! Scales and minima of blocks of 32.

#[cfg(target_arch = "aarch64")]
use crate::simd::neon::{Eight, load_f16, load_f32};
use crate::simd::plain::Plain;
use crate::simd::scales::Scales;
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::float32x4_t;

/// What turns the quanta of 16 rows into weights.
pub(crate) trait Scaling: Plain {
    /// That of one row.
    type Row: Plain;
    /// Whether there are minima.
    #[cfg_attr(not(target_arch = "aarch64"), expect(dead_code))]
    const MINIMUM: bool;

    /// Sets that of the row in `lane`.
    fn set(&mut self, lane: usize, row: Self::Row);
    /// The scale of the row in `lane`.
    fn scale(&self, lane: usize) -> f32;
    /// The minimum of the row in `lane`, if there are any.
    fn minimum(&self, lane: usize) -> Option<f32>;

    /// The scales of a half of the rows.
    #[cfg(target_arch = "aarch64")]
    fn scales(&self, half: usize) -> Eight;
    /// The scales of both halves, and where the scaling ends.
    ///
    /// # Safety
    ///
    /// `at` points to a scaling.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    unsafe fn all_scales(at: *const Self) -> ([Eight; 2], *const Self) {
        // SAFETY: by the caller's promise.
        let (scaling, end) = unsafe { (&*at, at.add(1)) };
        ([scaling.scales(0), scaling.scales(1)], end)
    }
    /// The minima of a half of the rows; without minima some numbers.
    #[cfg(target_arch = "aarch64")]
    fn minima(&self, half: usize) -> Eight;
}

impl Scaling for Scales {
    type Row = [u8; 2];
    const MINIMUM: bool = false;

    fn set(&mut self, lane: usize, row: [u8; 2]) {
        Scales::set(self, lane, row);
    }

    #[inline(always)]
    fn scale(&self, lane: usize) -> f32 {
        self.row(lane)
    }

    #[inline(always)]
    fn minimum(&self, _lane: usize) -> Option<f32> {
        None
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn scales(&self, half: usize) -> Eight {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { load_f16(&self.0[half % 2]) }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima(&self, half: usize) -> Eight {
        self.scales(half)
    }
}

/// Binary16 scales and minima.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct ScalesAndMinima {
    scales: Scales,
    minima: Scales,
}

// SAFETY: arrays of bytes without padding.
unsafe impl Plain for ScalesAndMinima {}

impl Scaling for ScalesAndMinima {
    type Row = [[u8; 2]; 2];
    const MINIMUM: bool = true;

    fn set(&mut self, lane: usize, [scale, minimum]: [[u8; 2]; 2]) {
        self.scales.set(lane, scale);
        self.minima.set(lane, minimum);
    }

    #[inline(always)]
    fn scale(&self, lane: usize) -> f32 {
        self.scales.row(lane)
    }

    #[inline(always)]
    fn minimum(&self, lane: usize) -> Option<f32> {
        Some(self.minima.row(lane))
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn scales(&self, half: usize) -> Eight {
        self.scales.scales(half)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima(&self, half: usize) -> Eight {
        self.minima.scales(half)
    }
}

/// F32 scales.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct FloatScales([[[[u8; 4]; 4]; 2]; 2]);

// SAFETY: an array of bytes.
unsafe impl Plain for FloatScales {}

impl Scaling for FloatScales {
    type Row = [u8; 4];
    const MINIMUM: bool = false;

    fn set(&mut self, lane: usize, row: [u8; 4]) {
        self.0[lane / 8 % 2][lane / 4 % 2][lane % 4] = row;
    }

    #[inline(always)]
    fn scale(&self, lane: usize) -> f32 {
        f32::from_le_bytes(self.0[lane / 8 % 2][lane / 4 % 2][lane % 4])
    }

    #[inline(always)]
    fn minimum(&self, _lane: usize) -> Option<f32> {
        None
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn scales(&self, half: usize) -> Eight {
        // SAFETY: Advanced SIMD is part of the target.
        self.0[half % 2]
            .each_ref()
            .map(|four| unsafe { load_f32(four) })
    }

    /// In assembler, because the compiler loads two vectors at a time, and keeps an address more.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    unsafe fn all_scales(mut at: *const Self) -> ([Eight; 2], *const Self) {
        let (a, b, c, d): (float32x4_t, float32x4_t, float32x4_t, float32x4_t);
        // SAFETY: reads the 64 bytes that `at` points to by the caller's promise only.
        unsafe {
            core::arch::asm!(
                "ld1 {{ v16.16b, v17.16b, v18.16b, v19.16b }}, [{at}], #64",
                at = inout(reg) at,
                out("v16") a, out("v17") b, out("v18") c, out("v19") d,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        ([[a, b], [c, d]], at)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn minima(&self, half: usize) -> Eight {
        self.scales(half)
    }
}
