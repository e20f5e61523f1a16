// SPDX-License-Identifier: GPL-2.0
//! The binary16 scales of a block of 16 rows.

use super::activation::Int8Block;
use super::group::GROUP_ROWS;
use super::plain::Plain;
use crate::math::fma::fma;
use crate::math::half::f16_to_f32;

#[cfg(target_arch = "aarch64")]
mod neon;

/// The exponent's bits of a binary16 that is infinite or a NaN.
#[cfg(target_arch = "aarch64")]
const INFINITY: u16 = 0x7c00;

/// Scales by row, in two halves of 8.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Scales(pub [[[u8; 2]; 8]; 2]);

// SAFETY: an array of bytes.
unsafe impl Plain for Scales {}

impl Scales {
    /// The scales of the rows; `Err` has the first that is not finite.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    pub(super) fn gather(rows: [&[u8; 2]; GROUP_ROWS]) -> Result<Scales, usize> {
        let mut scales = Scales([[[0; 2]; 8]; 2]);
        let (halves, _) = rows.as_chunks();
        let mut all_finite = true;
        for (half, rows) in scales.0.iter_mut().zip(halves) {
            // SAFETY: Advanced SIMD is part of the target.
            all_finite &= unsafe { neon::gather(rows, half) };
        }
        if all_finite {
            return Ok(scales);
        }
        let infinite = |scale: &[u8; 2]| u16::from_le_bytes(*scale) & INFINITY == INFINITY;
        let first = scales.0.as_flattened().iter().position(infinite);
        first.map_or(Ok(scales), Err)
    }

    /// Sets the scale of a row, taken modulo 16.
    pub(super) fn set(&mut self, row: usize, scale: [u8; 2]) {
        self.0[row / 8 % 2][row % 8] = scale;
    }

    /// The scale of a row, taken modulo 16.
    pub(super) fn row(&self, row: usize) -> f32 {
        f16_to_f32(u16::from_le_bytes(self.0[row / 8 % 2][row % 8]))
    }

    /// The twin's step for one block of 32: `sums` + `dots` * (scale of the row * scale of the
    /// activations).
    #[inline(always)]
    pub(super) fn add(
        &self,
        dots: [i32; GROUP_ROWS],
        activation: &Int8Block,
        sums: &mut [f32; GROUP_ROWS],
    ) {
        let scale = f32::from_le_bytes(activation.scale[0]);
        for (row, (sum, dot)) in sums.iter_mut().zip(dots).enumerate() {
            *sum = fma(dot as f32, self.row(row) * scale, *sum);
        }
    }
}
