// SPDX-License-Identifier: GPL-2.0
//! BF16: the upper halves of IEEE 754 binary32 weights.

use crate::simd::finite::Finite;
use crate::simd::float::{Float, Floats};
#[cfg(target_arch = "aarch64")]
use crate::simd::group::GROUP_ROWS;
#[cfg(target_arch = "aarch64")]
use crate::simd::{float::loops::Sums, neon::load};
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::*;

/// The format.
pub(super) type Bf16 = Floats<Upper, 2>;

/// The upper half of an IEEE 754 binary32.
pub(super) struct Upper;

impl Float<2> for Upper {
    type Bits = u16;
    const INFINITY: u16 = 0x7f80;
    const FINITE: Finite = Finite::Bf16(0);

    #[inline(always)]
    fn magnitude(bytes: [u8; 2]) -> u16 {
        u16::from_le_bytes(bytes) & u16::MAX >> 1
    }

    #[inline(always)]
    fn widen([low, high]: [u8; 2]) -> f32 {
        f32::from_le_bytes([0, 0, low, high])
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn widen_column(column: &[[u8; 2]; GROUP_ROWS]) -> Sums {
        let (halves, _) = column.as_chunks::<8>();
        // SAFETY: Advanced SIMD is part of the target.
        let [[a, b], [c, d]] = [0, 1].map(|i| unsafe {
            let half = vreinterpretq_u16_s8(load(&halves[i % 2]));
            [
                vshll_n_u16::<16>(vget_low_u16(half)),
                vshll_high_n_u16::<16>(half),
            ]
            .map(|bits| vreinterpretq_f32_u32(bits))
        });
        [a, b, c, d]
    }
}
