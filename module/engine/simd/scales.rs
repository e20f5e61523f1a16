// SPDX-License-Identifier: GPL-2.0
//! The binary16 scales of a block of 16 rows.

use super::activation::Int8Block;
use super::group::GROUP_ROWS;
use super::plain::Plain;
use crate::math::fma::fma;
use crate::math::half::f16_to_f32;

/// Scales by row, in two halves of 8.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(super) struct Scales(pub [[[u8; 2]; 8]; 2]);

// SAFETY: an array of bytes.
unsafe impl Plain for Scales {}

impl Scales {
    /// The scales `of` each row; `Err` has the first that is not finite.
    pub(super) fn gather(of: impl Fn(usize) -> [u8; 2]) -> Result<Scales, usize> {
        let mut scales = [[[0; 2]; 8]; 2];
        for (row, scale) in scales.as_flattened_mut().iter_mut().enumerate() {
            *scale = of(row);
            if u16::from_le_bytes(*scale) & 0x7c00 == 0x7c00 {
                return Err(row);
            }
        }
        Ok(Scales(scales))
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
