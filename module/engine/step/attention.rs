// SPDX-License-Identifier: GPL-2.0
//! Attention of one row to one segment of positions, by online softmax over tiles of 32 positions
//! (Milakov and Gimelshein, 2018; Dao et al., 2022). Point 8 of the numerics contract.

use crate::math::exp::exp;
use crate::math::fma::fma;
use crate::math::fma::sqrt;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::kv::LANES;
use crate::step::kv::TILE;

/// Values beside the weighted sum of a partial result, of which two are used.
const BESIDE: usize = 4;
/// Groups of keys in a tile.
const KEY_GROUPS: usize = TILE / LANES;

/// f32 values of the partial result of a head: the sum of p * v (head size), then the largest
/// score and the sum of p.
pub const fn partial_values(head_size: usize) -> usize {
    head_size.next_multiple_of(BESIDE) + BESIDE
}

/// The partial result of one head over a segment.
pub struct Partial<'a> {
    /// Sum of p * v, per dimension.
    pub sum: &'a mut [f32],
    /// Largest score so far.
    pub largest: &'a mut f32,
    /// Sum of p = exp(score - largest).
    pub weight: &'a mut f32,
}

impl<'a> Partial<'a> {
    /// Views `partial_values(head_size)` values.
    pub fn view(values: &'a mut [f32], head_size: usize) -> Option<Partial<'a>> {
        let beside = values.len().checked_sub(BESIDE)?;
        let (sum, beside) = values.split_at_mut_checked(beside)?;
        let [largest, weight, ..] = beside else {
            return None;
        };
        Some(Partial {
            sum: sum.get_mut(..head_size)?,
            largest,
            weight,
        })
    }

    /// Before any position.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
        *self.largest = f32::NEG_INFINITY;
        *self.weight = 0.0;
    }

    /// Makes `score` the reference when it is larger than the largest so far.
    #[inline]
    pub fn raise(&mut self, score: f32) {
        if score > *self.largest {
            let factor = exp(*self.largest - score);
            *self.largest = score;
            *self.weight *= factor;
            for sum in self.sum.iter_mut() {
                *sum *= factor;
            }
        }
    }
}

/// Keys and values of a tile, for one key and value head, as f32.
#[derive(Clone, Copy)]
pub struct Tile<'a> {
    /// (4 groups of 8 positions, dimension, position in the group).
    pub keys: &'a [f32],
    /// (position, dimension).
    pub values: &'a [f32],
    /// Positions that are attended to, 1 to 32.
    pub count: usize,
}

/// 1 / sqrt(head size), by which scores are multiplied.
pub fn scale(head_size: usize) -> f32 {
    1.0 / sqrt(head_size as f32)
}

/// Attends to a tile with the queries (head, `head_size`) of the heads that share its keys;
/// `partials` is (head, [`partial_values`]).
pub fn attend(tile: Tile<'_>, queries: &[f32], head_size: usize, partials: &mut [f32]) {
    let scale = scale(head_size);
    let partials = pieces_mut(partials, partial_values(head_size));
    for (query, partial) in pieces(queries, head_size).zip(partials) {
        if let Some(partial) = Partial::view(partial, head_size) {
            attend_head(tile, query, scale, partial);
        }
    }
}

/// Attends to a tile with one query.
fn attend_head(tile: Tile<'_>, query: &[f32], scale: f32, mut partial: Partial<'_>) {
    let Some(mut p) = scores(tile.keys, query, scale) else {
        return;
    };
    let count = tile.count.min(TILE);
    if let Some(outside) = p.get_mut(count..) {
        outside.fill(f32::NEG_INFINITY);
    }
    partial.raise(largest(&p));
    let reference = *partial.largest;
    for p in &mut p {
        *p = exp(*p - reference);
    }
    // Outside p is +0, or NaN where the whole row is.
    *partial.weight += total(&p);
    let p = p.get(..count).unwrap_or(&[]);
    let mut rest = tile.values;
    let stride = query.len();
    let sum = add::<32>(partial.sum, &mut rest, stride, p);
    let sum = add::<16>(sum, &mut rest, stride, p);
    let sum = add::<8>(sum, &mut rest, stride, p);
    add::<1>(sum, &mut rest, stride, p);
}

/// Scores of all positions of a tile: a chain of fma over the dimensions, times `scale`.
#[inline]
fn scores(keys: &[f32], query: &[f32], scale: f32) -> Option<[f32; TILE]> {
    let (keys, _) = keys.as_chunks::<LANES>();
    let mut groups = pieces(keys, query.len());
    let groups = [
        groups.next()?,
        groups.next()?,
        groups.next()?,
        groups.next()?,
    ];
    let mut sums = [[0.0; LANES]; KEY_GROUPS];
    let rest = dimensions::<4>(&mut sums, groups, query);
    dimensions::<1>(&mut sums, rest.0, rest.1);
    let mut scores = [0.0; TILE];
    for (score, sum) in scores.iter_mut().zip(sums.as_flattened()) {
        *score = *sum * scale;
    }
    Some(scores)
}

/// Keys of the four groups of a tile: (dimension, position in the group) each.
type KeyGroups<'a> = [&'a [[f32; LANES]]; KEY_GROUPS];

/// Adds query * key for as many whole runs of `N` dimensions as there are, ascending; returns the
/// dimensions that are left.
#[inline(always)]
fn dimensions<'a, const N: usize>(
    sums: &mut [[f32; LANES]; KEY_GROUPS],
    keys: KeyGroups<'a>,
    query: &'a [f32],
) -> (KeyGroups<'a>, &'a [f32]) {
    let [a, b, c, d] = keys.map(|group| group.as_chunks::<N>());
    let (runs, rest) = query.as_chunks::<N>();
    for ((((q, a), b), c), d) in runs.iter().zip(a.0).zip(b.0).zip(c.0).zip(d.0) {
        for (index, q) in q.iter().enumerate() {
            for (sums, keys) in sums.iter_mut().zip([a, b, c, d]) {
                for (sum, key) in sums.iter_mut().zip(&keys[index]) {
                    *sum = fma(*q, *key, *sum);
                }
            }
        }
    }
    ([a.1, b.1, c.1, d.1], rest)
}

/// The largest of a tile's scores, in lanes: the order cannot matter.
#[inline]
fn largest(scores: &[f32; TILE]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (groups, _) = scores.as_chunks::<LANES>();
    for group in groups {
        for (lane, score) in lanes.iter_mut().zip(group) {
            *lane = larger(*lane, *score);
        }
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, larger)
}

/// The sum of a tile's p: 8 lanes by position, ascending, then a tree +4, +2, +1.
#[inline]
fn total(p: &[f32; TILE]) -> f32 {
    let mut lanes = [0.0; LANES];
    let (groups, _) = p.as_chunks::<LANES>();
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

/// Adds p * v for as many whole runs of `N` dimensions as `sum` holds, positions ascending.
/// `values` begins with these dimensions of the first position, positions being `stride` apart;
/// it is advanced past them, and the other sums are returned.
#[inline]
fn add<'a, const N: usize>(
    sum: &'a mut [f32],
    values: &mut &[f32],
    stride: usize,
    p: &[f32],
) -> &'a mut [f32] {
    let (runs, rest) = sum.as_chunks_mut::<N>();
    for run in runs {
        let mut sums = *run;
        let mut row = *values;
        for &p in p {
            let Some(values) = row.first_chunk::<N>() else {
                break;
            };
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum = fma(p, *value, *sum);
            }
            row = row.get(stride..).unwrap_or(&[]);
        }
        *run = sums;
        *values = values.get(N..).unwrap_or(&[]);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::kv::KvLayout;

    /// The contract, word by word, over tiles of any dimension.
    fn by_the_contract(
        query: &[f32],
        keys: &[Vec<f32>],
        values: &[Vec<f32>],
    ) -> (Vec<f32>, f32, f32) {
        let (mut m, mut l) = (f32::NEG_INFINITY, 0f32);
        let mut o = vec![0f32; query.len()];
        for (keys, values) in keys.chunks(32).zip(values.chunks(32)) {
            let score = |key: &Vec<f32>| {
                query
                    .iter()
                    .zip(key)
                    .fold(0.0, |sum, (q, k)| fma(*q, *k, sum))
                    * (1.0 / (query.len() as f32).sqrt())
            };
            let scores: Vec<f32> = keys.iter().map(score).collect();
            let next = scores.iter().fold(m, |a, &b| if b > a { b } else { a });
            if next > m {
                let factor = exp(m - next);
                l *= factor;
                o.iter_mut().for_each(|o| *o *= factor);
                m = next;
            }
            let p: Vec<f32> = scores.iter().map(|score| exp(score - m)).collect();
            let mut lanes = [0f32; 8];
            p.iter()
                .enumerate()
                .for_each(|(index, p)| lanes[index % 8] += p);
            (0..4).for_each(|lane| lanes[lane] += lanes[lane + 4]);
            (0..2).for_each(|lane| lanes[lane] += lanes[lane + 2]);
            l += lanes[0] + lanes[1];
            for (p, value) in p.iter().zip(values) {
                o.iter_mut()
                    .zip(value)
                    .for_each(|(o, v)| *o = fma(*p, *v, *o));
            }
        }
        (o, m, l)
    }

    #[test]
    fn tiles_follow_the_contract() {
        let mut seed = 1u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as f32 / (1 << 22) as f32 - 2.0
        };
        for (head_size, positions) in [(1, 1), (6, 5), (8, 32), (16, 33), (48, 200), (63, 256)] {
            let query: Vec<f32> = (0..head_size).map(|_| next()).collect();
            let mut rows = || -> Vec<Vec<f32>> {
                (0..positions)
                    .map(|_| (0..head_size).map(|_| next()).collect())
                    .collect()
            };
            let (keys, values) = (rows(), rows());
            let mut partial = vec![7.0; partial_values(head_size)];
            Partial::view(&mut partial, head_size).unwrap().clear();
            let layout = KvLayout {
                layers: 1,
                kv_heads: 1,
                head_size: head_size as u32,
            };
            for first in (0..positions).step_by(TILE) {
                let mut block = vec![f32::NAN; 2 * layout.tile_values()];
                let count = (positions - first).min(TILE);
                for position in first..first + count {
                    for dimension in 0..head_size {
                        let key = layout.key_index(position as u32, dimension);
                        block[key] = keys[position][dimension];
                        let value = layout.value_index(position as u32, dimension);
                        block[value] = values[position][dimension];
                    }
                }
                let (keys, values) = block.split_at(layout.tile_values());
                attend(
                    Tile {
                        keys,
                        values,
                        count,
                    },
                    &query,
                    head_size,
                    &mut partial,
                );
            }
            let (sum, largest, weight) = by_the_contract(&query, &keys, &values);
            let view = Partial::view(&mut partial, head_size).unwrap();
            assert_eq!(
                view.sum.to_vec(),
                sum,
                "head size {head_size}, {positions} positions"
            );
            assert_eq!((*view.largest, *view.weight), (largest, weight));
        }
    }
}
