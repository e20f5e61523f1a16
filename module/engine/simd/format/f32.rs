// SPDX-License-Identifier: GPL-2.0
//! F32: IEEE 754 binary32 weights.

use crate::simd::finite::Finite;
use crate::simd::float::{Float, Floats};
#[cfg(target_arch = "aarch64")]
use crate::simd::group::GROUP_ROWS;
#[cfg(target_arch = "aarch64")]
use crate::simd::{float::loops::Sums, neon::load_f32};

/// The format.
pub(super) type F32 = Floats<Single, 4>;

/// IEEE 754 binary32.
pub(super) struct Single;

impl Float<4> for Single {
    type Bits = u32;
    const INFINITY: u32 = 0x7f80_0000;
    const FINITE: Finite = Finite::F32(0);

    #[inline(always)]
    fn magnitude(bytes: [u8; 4]) -> u32 {
        u32::from_le_bytes(bytes) & u32::MAX >> 1
    }

    #[inline(always)]
    fn widen(bytes: [u8; 4]) -> f32 {
        f32::from_le_bytes(bytes)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn widen_column(column: &[[u8; 4]; GROUP_ROWS]) -> Sums {
        let (fours, _) = column.as_chunks::<4>();
        // SAFETY: Advanced SIMD is part of the target.
        core::array::from_fn(|i| unsafe { load_f32(&fours[i % 4]) })
    }
}
