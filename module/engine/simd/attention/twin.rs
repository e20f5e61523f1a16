// SPDX-License-Identifier: GPL-2.0
//! The scalar twin of attention: the specification, in three steps a tile.

use super::tile::Tile;
use super::{HEADS, Head, LANES, TILE};
use crate::math::exp::exp;
use crate::math::fma::fma;
use crate::simd::elementwise::cap_one;

/// As [`super::attend`].
pub(super) fn attend<'t, T: Tile<'t>>(
    heads: &mut [Head<'_>],
    start: usize,
    tiles: impl Iterator<Item = &'t [u8]>,
) -> Option<()> {
    let size = heads.first()?.query.len();
    let mut p = [[0.0; TILE]; HEADS];
    for (index, tile) in tiles.enumerate() {
        let tile = T::view(tile, size)?;
        let first = start + index * TILE;
        let most = heads.iter().map(|head| head.reach(first)).max()?;
        scores(&tile, heads, most.div_ceil(LANES), &mut p);
        for (p, head) in p.iter_mut().zip(heads.iter_mut()) {
            let count = head.reach(first);
            weights(p, first, head);
            weigh(&tile, p, count, head.partial.sum);
        }
    }
    Some(())
}

/// `scores[h][i]` = chain of fma of query h and key i over the dimensions ascending, for the first
/// `groups` groups of positions; other scores stay as they are.
fn scores<'t>(tile: &impl Tile<'t>, heads: &[Head<'_>], groups: usize, scores: &mut [[f32; TILE]]) {
    for group in 0..groups {
        for (scores, head) in scores.iter_mut().zip(heads) {
            let (eights, _) = scores.as_chunks_mut::<LANES>();
            let Some(scores) = eights.get_mut(group) else {
                continue;
            };
            *scores = [0.0; LANES];
            for (q, keys) in head.query.iter().zip(tile.keys(group)) {
                for (score, key) in scores.iter_mut().zip(keys) {
                    *score = fma(*q, key, *score);
                }
            }
        }
    }
}

/// Turns the scores of the tile that begins at position `first` into p = exp(score - m), and adds
/// their sum to the result. In whole groups: p is +0 at positions that `head` does not attend to, or
/// NaN where no score is a number.
pub(super) fn weights(p: &mut [f32; TILE], first: usize, head: &mut Head<'_>) {
    let count = head.reach(first);
    let outside = head.first.saturating_sub(first).min(count);
    let (groups, _) = p.as_chunks_mut::<LANES>();
    let groups = groups.get_mut(..count.div_ceil(LANES)).unwrap_or_default();
    let p = groups.as_flattened_mut();
    if outside == count {
        return p.fill(0.0);
    }
    for score in p.iter_mut() {
        *score *= head.scale;
    }
    if head.cap != 0.0 {
        p.iter_mut()
            .for_each(|score| *score = cap_one(*score, head.cap));
    }
    if head.slope != 0.0 {
        for (score, position) in p.iter_mut().zip(first..) {
            let distance = head.position.saturating_sub(position) as f32;
            *score = fma(-head.slope, distance, *score);
        }
    }
    let seen = outside..count;
    for (place, score) in p.iter_mut().enumerate() {
        if !seen.contains(&place) {
            *score = f32::NEG_INFINITY;
        }
    }
    let partial = &mut head.partial;
    let larger = |a: f32, b: &f32| if *b > a { *b } else { a };
    partial.raise(p.iter().fold(f32::NEG_INFINITY, larger));
    for p in p.iter_mut() {
        *p = exp(*p - *partial.largest);
    }
    *partial.weight += total(groups);
}

/// The sum of a tile's p: 8 lanes by position, ascending, then a tree +4, +2, +1.
fn total(groups: &[[f32; LANES]]) -> f32 {
    let mut lanes = [0.0; LANES];
    for group in groups {
        for (lane, p) in lanes.iter_mut().zip(group) {
            *lane += *p;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let [a, b, c, d] = [a + e, b + f, c + g, d + h];
    let [a, b] = [a + c, b + d];
    a + b
}

/// `sums[d]` = fma(`p[i]`, value i in dimension d, `sums[d]`) for the first `count` positions,
/// ascending.
fn weigh<'t>(tile: &impl Tile<'t>, p: &[f32; TILE], count: usize, sums: &mut [f32]) {
    for (position, p) in p.iter().enumerate().take(count) {
        for (sum, value) in sums.iter_mut().zip(tile.values(position)) {
            *sum = fma(*p, value, *sum);
        }
    }
}
