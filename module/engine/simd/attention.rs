// SPDX-License-Identifier: GPL-2.0
//! Scores and weighted sums of attention over a tile of positions, for heads that share keys and
//! values. Point 8 of the numerics contract.
//!
//! Stored halves are widened in registers, once for all heads of a call.

use super::level::Level;
use super::pieces::pieces;
use super::plain::{Plain, view};
use crate::math::fma::fma;
use crate::math::half::f16_to_f32;
use core::ops::Range;

#[cfg(target_arch = "aarch64")]
mod neon;

/// Positions of a tile.
pub const TILE: usize = 32;
/// Positions whose keys lie side by side.
pub const LANES: usize = 8;
/// Most heads of a call.
pub const HEADS: usize = 4;

/// Keys or values of one tile and head as they are stored.
#[derive(Clone, Copy)]
pub enum Stored<'a> {
    /// binary16.
    F16(&'a [[u8; 2]]),
    /// binary32.
    F32(&'a [[u8; 4]]),
}

impl<'a> Stored<'a> {
    /// Views bytes as binary16.
    pub fn f16(bytes: &'a [u8]) -> Self {
        Stored::F16(view(bytes))
    }

    /// Views bytes as binary32.
    pub fn f32(bytes: &'a [u8]) -> Self {
        Stored::F32(view(bytes))
    }
}

/// A type that keys and values are stored in.
trait Cell: Plain {
    /// The value; exact.
    fn widen(self) -> f32;
}

impl Cell for [u8; 2] {
    #[inline(always)]
    fn widen(self) -> f32 {
        f16_to_f32(u16::from_le_bytes(self))
    }
}

impl Cell for [u8; 4] {
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_le_bytes(self)
    }
}

/// `scores[h][i]` = chain of fma of query h and key i over the dimensions ascending, for up to
/// [`HEADS`] queries of one length and the first `positions` of the tile, rounded up to
/// [`LANES`]; `keys` is (4 groups of 8 positions, dimension, position in the group). Other scores
/// stay as they are.
pub fn scores(
    level: Level,
    keys: Stored<'_>,
    queries: &[&[f32]],
    positions: usize,
    scores: &mut [[f32; TILE]],
) {
    let groups = positions.min(TILE).div_ceil(LANES);
    match level {
        // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
        #[cfg(target_arch = "aarch64")]
        level if level > Level::SCALAR => unsafe {
            match keys {
                Stored::F16(keys) => neon::scores(keys, queries, groups, scores),
                Stored::F32(keys) => neon::scores(keys, queries, groups, scores),
            }
        },
        _ => match keys {
            Stored::F16(keys) => scores_twin(keys, queries, groups, scores),
            Stored::F32(keys) => scores_twin(keys, queries, groups, scores),
        },
    }
}

/// `sums[h][d]` = fma(`p[h][i]`, value i in dimension d, `sums[h][d]`) for the positions of
/// `range`, ascending, and up to [`HEADS`] heads; `values` is (position, dimension), `sums` are of
/// one length.
pub fn weigh(
    level: Level,
    values: Stored<'_>,
    range: Range<usize>,
    p: &[[f32; TILE]],
    sums: &mut [&mut [f32]],
) {
    let range = range.start..range.end.min(TILE);
    match level {
        // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
        #[cfg(target_arch = "aarch64")]
        level if level > Level::SCALAR => unsafe {
            match values {
                Stored::F16(values) => neon::weigh(values, range, p, sums),
                Stored::F32(values) => neon::weigh(values, range, p, sums),
            }
        },
        _ => match values {
            Stored::F16(values) => weigh_twin(values, range, p, sums),
            Stored::F32(values) => weigh_twin(values, range, p, sums),
        },
    }
}

/// The scalar twin of [`scores`].
fn scores_twin<T: Cell>(keys: &[T], queries: &[&[f32]], groups: usize, scores: &mut [[f32; TILE]]) {
    let size = queries.first().map_or(0, |query| query.len());
    let (keys, _) = keys.as_chunks::<LANES>();
    for (group, keys) in pieces(keys, size).take(groups).enumerate() {
        for scores in scores.iter_mut() {
            scores
                .iter_mut()
                .skip(group * LANES)
                .take(LANES)
                .for_each(|score| *score = 0.0);
        }
        for (dimension, keys) in keys.iter().enumerate() {
            let keys = keys.map(T::widen);
            for (scores, query) in scores.iter_mut().zip(queries) {
                let (eights, _) = scores.as_chunks_mut::<LANES>();
                if let (Some(scores), Some(q)) = (eights.get_mut(group), query.get(dimension)) {
                    for (score, key) in scores.iter_mut().zip(keys) {
                        *score = fma(*q, key, *score);
                    }
                }
            }
        }
    }
}

/// The scalar twin of [`weigh`].
fn weigh_twin<T: Cell>(
    values: &[T],
    range: Range<usize>,
    p: &[[f32; TILE]],
    sums: &mut [&mut [f32]],
) {
    let size = sums.first().map_or(0, |sum| sum.len());
    for (position, values) in pieces(values, size).enumerate() {
        if !range.contains(&position) {
            continue;
        }
        for (dimension, value) in values.iter().enumerate() {
            let value = value.widen();
            for (sum, p) in sums.iter_mut().zip(p) {
                if let (Some(sum), Some(p)) = (sum.get_mut(dimension), p.get(position)) {
                    *sum = fma(*p, value, *sum);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Guarded, Random};
    use super::*;
    use crate::math::half::f32_to_f16;

    /// `count` stored values, and the bytes of both types.
    fn cells(random: &mut Random, count: usize) -> [Vec<u8>; 2] {
        let halves: Vec<u16> = (0..count).map(|_| f32_to_f16(random.float())).collect();
        [
            halves.iter().flat_map(|half| half.to_le_bytes()).collect(),
            halves
                .iter()
                .flat_map(|half| f16_to_f32(*half).to_le_bytes())
                .collect(),
        ]
    }

    #[test]
    fn every_level_equals_the_definition() {
        let mut random = Random(9);
        for round in 0..400 {
            let size = 1 + random.below(if round % 4 == 0 { 140 } else { 70 });
            let heads = 1 + random.below(HEADS);
            let positions = 1 + random.below(TILE);
            let first = random.below(positions);
            let queries: Vec<Vec<f32>> = (0..heads)
                .map(|_| (0..size).map(|_| random.float()).collect())
                .collect();
            let queries: Vec<&[f32]> = queries.iter().map(Vec::as_slice).collect();
            let p: Vec<[f32; TILE]> = (0..heads)
                .map(|_| core::array::from_fn(|_| random.float()))
                .collect();
            let [halves, floats] = cells(&mut random, TILE * size);
            let (halves, floats) = (Guarded::copy(&halves), Guarded::copy(&floats));
            let value =
                |index: usize| f32::from_le_bytes(floats[4 * index..][..4].try_into().unwrap());
            let key = |i: usize, d: usize| value((i / LANES * size + d) * LANES + i % LANES);
            for level in Level::all() {
                for stored in [Stored::f16(&halves), Stored::f32(&floats)] {
                    let mut out = vec![[7.0; TILE]; heads];
                    scores(level, stored, &queries, positions, &mut out);
                    let mut sums = vec![vec![0.25f32; size]; heads];
                    let mut slices: Vec<&mut [f32]> =
                        sums.iter_mut().map(Vec::as_mut_slice).collect();
                    weigh(level, stored, first..positions, &p, &mut slices);
                    for h in 0..heads {
                        let case = format!("{level:?}, {size} dimensions, head {h} of {heads}");
                        for (i, score) in out[h].iter().enumerate() {
                            let chain =
                                (0..size).fold(0.0, |sum, d| fma(queries[h][d], key(i, d), sum));
                            let untouched = i / LANES >= positions.div_ceil(LANES);
                            let expected = if untouched { 7.0 } else { chain };
                            assert_eq!(score.to_bits(), expected.to_bits(), "{case}");
                        }
                        for (d, sum) in sums[h].iter().enumerate() {
                            let chain = (first..positions)
                                .fold(0.25, |sum, i| fma(p[h][i], value(i * size + d), sum));
                            assert_eq!(sum.to_bits(), chain.to_bits(), "{case}");
                        }
                    }
                }
            }
        }
    }
}
