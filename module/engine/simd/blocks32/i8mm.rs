// SPDX-License-Identifier: GPL-2.0
//! Blocks of 32 with SMMLA: 8 weights of 2 rows with 8 activations of 2 rows at a time.

use super::{Blocks32, Group, Scaling};
use crate::simd::dots::i8mm::{Four, eights, products};
use crate::simd::neon::load_f32;
use crate::simd::neon::load_i32;
use crate::simd::pair::PairBlock;
use crate::simd::pair_loops::pair_loops;
use crate::simd::quanta::Quanta;
use core::arch::aarch64::*;

/// 32 weights of two rows of the first four of a half and of two of the second, with their scales
/// and minima, each twice.
struct Rows {
    weights: [Four; 2],
    scales: Eight,
    minima: Eight,
}

/// Adds the products with a pair of activation rows to `sums`.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_pair<Q: Quanta, S: Scaling>(sums: &mut Eight, rows: &Rows, pair: &PairBlock) {
    let starts = Q::lack(load_i32(&pair.start));
    let dots = products(starts, &rows.weights, &pair.values);
    let scale = load_f32(&pair.scale);
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum = vfmaq_f32(
            *sum,
            vcvtq_f32_s32(dots[i]),
            vmulq_f32(rows.scales[i], scale),
        );
        if S::MINIMUM {
            *sum = vfmaq_f32(*sum, rows.minima[i], load_f32(&pair.product));
        }
    }
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn tiles<Q: Quanta, S: Scaling, const N: usize, const QUARTER: usize>(
    group: &[Group<Q, S>],
    half: usize,
    activation: [&[[PairBlock; 2]]; N],
) -> [[Eight; 2]; N] {
    let mut sums = [[[vdupq_n_f32(0.0); 2]; 2]; N];
    for (index, block) in group.iter().enumerate() {
        let rows = Rows {
            weights: eights(&block.quanta.unpack(&block.book, half), QUARTER),
            scales: twice(block.scaling.scales(half), QUARTER),
            minima: twice(block.scaling.minima(half), QUARTER),
        };
        for (sums, tile) in sums.iter_mut().zip(activation) {
            // SAFETY: the tiles have as many blocks as the group.
            let pairs = unsafe { tile.get_unchecked(index) };
            add_pair::<Q, S>(&mut sums[0], &rows, &pairs[0]);
            add_pair::<Q, S>(&mut sums[1], &rows, &pairs[1]);
        }
    }
    sums
}

pair_loops! {
    layout: Blocks32<Q, S>, generics: [Q: Quanta, S: Scaling], single: dotprod, tile: [PairBlock; 2]
}
