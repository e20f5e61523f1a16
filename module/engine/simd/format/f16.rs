// SPDX-License-Identifier: GPL-2.0
//! F16: IEEE 754 binary16 weights.

use crate::math::half::f16_to_f32;
use crate::simd::finite::Finite;
#[cfg(target_arch = "aarch64")]
use crate::simd::float::loops::{Activations, Columns, Sums};
use crate::simd::float::{Float, Floats};
#[cfg(target_arch = "aarch64")]
use crate::simd::group::GROUP_ROWS;

#[cfg(target_arch = "aarch64")]
mod neon;

/// The format.
pub(super) type F16 = Floats<Half, 2>;

/// IEEE 754 binary16.
pub(super) struct Half;

impl Float<2> for Half {
    type Bits = u16;
    const INFINITY: u16 = 0x7c00;
    const FINITE: Finite = Finite::F16(0);

    #[inline(always)]
    fn magnitude(bytes: [u8; 2]) -> u16 {
        u16::from_le_bytes(bytes) & u16::MAX >> 1
    }

    #[inline(always)]
    fn widen(bytes: [u8; 2]) -> f32 {
        f16_to_f32(u16::from_le_bytes(bytes))
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn widen_column(column: &[[u8; 2]; GROUP_ROWS]) -> Sums {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::widen_column(column) }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn add_runs(sums: Sums, columns: Columns<'_, 2>, activation: Activations<'_>) -> Sums {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::add_runs(sums, columns, activation) }
    }
}
