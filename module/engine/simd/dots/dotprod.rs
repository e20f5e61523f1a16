// SPDX-License-Identifier: GPL-2.0
//! Dot products by SDOT.

use core::arch::aarch64::*;

mod codes;
mod fives;
mod pairs;
mod twos;

pub(crate) use codes::sixteen_codes;
pub(crate) use fives::sixteen_fives;
pub(crate) use pairs::sixteen_pairs;
pub(crate) use twos::sixteen_twos;

/// `sums` + the products of 8 rows with 16 activations.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn sixteen(
    sums: [int32x4_t; 2],
    weights: &[[int8x16_t; 2]; 4],
    a: int8x16_t,
) -> [int32x4_t; 2] {
    [0, 1].map(|i| {
        let sum = four::<0>(sums[i], weights[0][i], a);
        let sum = four::<1>(sum, weights[1][i], a);
        let sum = four::<2>(sum, weights[2][i], a);
        four::<3>(sum, weights[3][i], a)
    })
}

/// `sum` + the products of 4 rows of 4 small weights with the four activations `FOUR`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
pub(crate) fn four<const FOUR: i32>(sum: int32x4_t, weights: int8x16_t, a: int8x16_t) -> int32x4_t {
    vdotq_laneq_s32::<FOUR>(sum, weights, a)
}
