// SPDX-License-Identifier: GPL-2.0
//! Scales of eight rows in one vector.

use super::INFINITY;
use core::arch::aarch64::*;

/// Gathers the scales of eight rows; `false` when one is infinite or a NaN.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn gather(rows: &[&[u8; 2]; 8], out: &mut [[u8; 2]; 8]) -> bool {
    let mut scales = vdupq_n_u16(0);
    macro_rules! lanes {
        ($($lane:literal)*) => {
            // SAFETY: Each row has the two bytes that are read; a load of a lane needs no alignment.
            $(scales = unsafe { vld1q_lane_u16::<$lane>(rows[$lane].as_ptr().cast(), scales) };)*
        };
    }
    lanes!(0 1 2 3 4 5 6 7);
    // SAFETY: `out` has the 16 bytes that are written; a store needs no alignment.
    unsafe { vst1q_u8(out.as_mut_ptr().cast(), vreinterpretq_u8_u16(scales)) };
    let infinity = vdupq_n_u16(INFINITY);
    let infinite = vceqq_u16(vandq_u16(scales, infinity), infinity);
    vmaxvq_u16(infinite) == 0
}
