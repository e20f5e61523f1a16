// SPDX-License-Identifier: GPL-2.0
//! Attention of one row to one segment of positions, by online softmax over tiles of 32 positions
//! (Milakov and Gimelshein, 2018; Dao et al., 2022). Point 8 of the numerics contract.

use crate::math::exp::exp;
use crate::math::fma::sqrt;
use crate::simd::attention;
use crate::simd::attention::HEADS;
use crate::simd::attention::LANES;
use crate::simd::attention::Stored;
use crate::simd::attention::TILE;
use crate::simd::level::Level;
use crate::step::kv::KvType;

/// Values beside the weighted sum of a partial result, of which two are used.
const BESIDE: usize = 4;

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

/// Keys and values of a tile, for one key and value head.
#[derive(Clone, Copy)]
pub struct Tile<'a> {
    /// (4 groups of 8 positions, dimension, position in the group).
    pub keys: Stored<'a>,
    /// (position, dimension).
    pub values: Stored<'a>,
}

impl<'a> Tile<'a> {
    /// Views the keys and values of one head in a block.
    pub fn new(head: &'a [u8], kv_type: KvType) -> Tile<'a> {
        let (keys, values) = head.split_at_checked(head.len() / 2).unwrap_or_default();
        let stored = match kv_type {
            KvType::F16 => Stored::f16,
            KvType::F32 => Stored::f32,
        };
        Tile {
            keys: stored(keys),
            values: stored(values),
        }
    }
}

/// What attends to a tile: one query head of one row.
pub struct Head<'a> {
    /// Its query.
    pub query: &'a [f32],
    /// Its result over the segment, of as many dimensions.
    pub partial: Partial<'a>,
    /// Positions of the tile that it attends to, 1 to 32.
    pub count: usize,
}

/// 1 / sqrt(head size), by which scores are multiplied.
pub fn scale(head_size: usize) -> f32 {
    1.0 / sqrt(head_size as f32)
}

/// Attends to a tile with `heads`, whose queries are of one length.
pub fn attend(level: Level, tile: Tile<'_>, heads: [Option<Head<'_>>; HEADS]) {
    let mut p = [[0.0; TILE]; HEADS];
    let mut queries: [&[f32]; HEADS] = [&[]; HEADS];
    let mut sums: [&mut [f32]; HEADS] = core::array::from_fn(|_| Default::default());
    let mut ends = [0; HEADS];
    for ((query, end), head) in queries
        .iter_mut()
        .zip(&mut ends)
        .zip(heads.iter().flatten())
    {
        (*query, *end) = (head.query, head.count.min(TILE));
    }
    let count = heads.iter().flatten().count();
    let (Some(p), Some(queries), Some(ends)) =
        (p.get_mut(..count), queries.get(..count), ends.get(..count))
    else {
        return;
    };
    let least = ends.iter().fold(TILE, |least, end| least.min(*end));
    let most = ends.iter().fold(0, |most, end| most.max(*end));
    attention::scores(level, tile.keys, queries, most, p);
    for (((p, sum), end), head) in p
        .iter_mut()
        .zip(&mut sums)
        .zip(ends)
        .zip(heads.into_iter().flatten())
    {
        let mut partial = head.partial;
        weights(p, *end, scale(head.query.len()), &mut partial);
        *sum = partial.sum;
    }
    let sums = sums.get_mut(..count).unwrap_or_default();
    attention::weigh(level, tile.values, 0..least, p, sums);
    // The positions that some of the heads attend to, which must not touch the others.
    for ((p, sum), end) in p.chunks(1).zip(sums.chunks_mut(1)).zip(ends) {
        if *end > least {
            attention::weigh(level, tile.values, least..*end, p, sum);
        }
    }
}

/// Turns the scores of the first `count` positions of a tile into p = exp(score - m), and adds
/// their sum to the result.
#[inline]
fn weights(p: &mut [f32; TILE], count: usize, scale: f32, partial: &mut Partial<'_>) {
    // In whole groups, of which some positions may be outside: p is +0 there, or NaN where the
    // whole row is.
    let (groups, _) = p.as_chunks_mut::<LANES>();
    let groups = groups.get_mut(..count.div_ceil(LANES)).unwrap_or_default();
    for score in groups.as_flattened_mut() {
        *score *= scale;
    }
    if let Some(outside) = groups.as_flattened_mut().get_mut(count..) {
        outside.fill(f32::NEG_INFINITY);
    }
    partial.raise(largest(groups));
    let reference = *partial.largest;
    for p in groups.as_flattened_mut() {
        *p = exp(*p - reference);
    }
    *partial.weight += total(groups);
}

/// The largest of a tile's scores, in lanes: the order cannot matter.
#[inline]
fn largest(groups: &[[f32; LANES]]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for group in groups {
        for (lane, score) in lanes.iter_mut().zip(group) {
            *lane = larger(*lane, *score);
        }
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, larger)
}

/// The sum of a tile's p: 8 lanes by position, ascending, then a tree +4, +2, +1.
#[inline]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::fma::fma;
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
            let mut partials = std::collections::BTreeMap::new();
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
                let bytes: Vec<u8> = block.iter().flat_map(|value| value.to_le_bytes()).collect();
                let (keys, values) = bytes.split_at(4 * layout.tile_values());
                let (keys, values) = (Stored::f32(keys), Stored::f32(values));
                for level in Level::all() {
                    let partial = partials.entry(level.number()).or_insert_with(|| {
                        let mut partial = vec![7.0; partial_values(head_size)];
                        Partial::view(&mut partial, head_size).unwrap().clear();
                        partial
                    });
                    let head = Head {
                        query: &query,
                        partial: Partial::view(partial, head_size).unwrap(),
                        count,
                    };
                    attend(level, Tile { keys, values }, [Some(head), None, None, None]);
                }
            }
            let (sum, largest, weight) = by_the_contract(&query, &keys, &values);
            for (level, mut partial) in partials {
                let view = Partial::view(&mut partial, head_size).unwrap();
                assert_eq!(
                    view.sum.to_vec(),
                    sum,
                    "level {level}, head size {head_size}, {positions} positions"
                );
                assert_eq!((*view.largest, *view.weight), (largest, weight));
            }
        }
    }
}
