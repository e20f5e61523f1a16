// SPDX-License-Identifier: GPL-2.0
//! Q6_K with SDOT by element: 4 weights of 4 rows at a time.

use super::loops::q6_k_loops;
use core::arch::aarch64::*;

#[inline]
#[target_feature(enable = "dotprod")]
fn part(weights: &[Chunk; 4], activation: &[i8; 16], offset: int32x4_t) -> [int32x4_t; 2] {
    let a = load(activation);
    [0, 1].map(|i| {
        let sum = vdotq_laneq_s32::<0>(offset, weights[0][i], a);
        let sum = vdotq_laneq_s32::<1>(sum, weights[1][i], a);
        let sum = vdotq_laneq_s32::<2>(sum, weights[2][i], a);
        vdotq_laneq_s32::<3>(sum, weights[3][i], a)
    })
}

q6_k_loops!("dotprod");
