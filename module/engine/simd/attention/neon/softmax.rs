// SPDX-License-Identifier: GPL-2.0
//! Scores to weights.

use super::exp::exp;
use crate::simd::attention::partial::Partial;
use crate::simd::attention::{Head, LANES, TILE, twin};
use core::arch::aarch64::*;

/// As [`twin::weights`]; scores that are capped, sloped or not all attended to are left to it.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn weights(p: &mut [f32; TILE], first: usize, head: &mut Head<'_>) {
    if !head.is_plain(first) {
        return twin::weights(p, first, head);
    }
    match head.reach(first).div_ceil(LANES) {
        0 => {}
        1 => weights_of::<1>(p, first, head),
        2 => weights_of::<2>(p, first, head),
        3 => weights_of::<3>(p, first, head),
        _ => weights_of::<4>(p, first, head),
    }
}

/// [`weights`] of the first `N` groups of positions.
#[inline]
#[target_feature(enable = "neon")]
fn weights_of<const N: usize>(p: &mut [f32; TILE], first: usize, head: &mut Head<'_>) {
    let (count, scale) = (head.reach(first), head.scale);
    let outside = p.get_mut(count..N * LANES).unwrap_or_default();
    outside.fill(f32::NEG_INFINITY);
    let (groups, _) = p.as_chunks::<LANES>();
    let Some(groups) = groups.first_chunk::<N>() else {
        return;
    };
    // SAFETY: Each half of a group has four values.
    let x = groups.each_ref().map(|group| unsafe {
        [0, 4].map(|half| vmulq_n_f32(vld1q_f32(group.as_ptr().add(half)), scale))
    });
    let [low, high] = x
        .into_iter()
        .reduce(|a, b| [vmaxq_f32(a[0], b[0]), vmaxq_f32(a[1], b[1])])
        .unwrap_or([vdupq_n_f32(f32::NEG_INFINITY); 2]);
    let largest = vmaxvq_f32(vmaxq_f32(low, high));
    if largest.is_nan() {
        return twin::weights(p, first, head);
    }
    let partial = &mut head.partial;
    if largest > *partial.largest {
        raise(partial, largest);
    }
    let reference = vdupq_n_f32(*partial.largest);
    let weights = x.map(|x| exp(x.map(|x| vsubq_f32(x, reference))));
    for (four, weight) in weights.as_flattened().iter().enumerate() {
        // SAFETY: Within the `N` groups.
        unsafe { vst1q_f32(p.as_mut_ptr().add(4 * four), *weight) };
    }
    let [low, high] = weights
        .into_iter()
        .reduce(|a, b| [vaddq_f32(a[0], b[0]), vaddq_f32(a[1], b[1])])
        .unwrap_or([vdupq_n_f32(0.0); 2]);
    let four = vaddq_f32(low, high);
    *partial.weight += vaddv_f32(vadd_f32(vget_low_f32(four), vget_high_f32(four)));
}

/// As [`Partial::raise`], to a larger score.
#[inline]
#[target_feature(enable = "neon")]
fn raise(partial: &mut Partial<'_>, score: f32) {
    if *partial.largest > f32::NEG_INFINITY {
        let [factors, _] = exp([vdupq_n_f32(*partial.largest - score); 2]);
        partial.rescale(vgetq_lane_f32::<0>(factors));
    }
    *partial.largest = score;
}
