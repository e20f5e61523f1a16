// SPDX-License-Identifier: GPL-2.0
//! Attention of one row to one segment of positions, by online softmax over tiles of 32 positions
//! (Milakov and Gimelshein, 2018; Dao et al., 2022). Point 8 of the numerics contract.

use core::ops::Range;
use core::slice;

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

    /// The same result, borrowed for shorter.
    fn reborrow(&mut self) -> Partial<'_> {
        Partial {
            sum: &mut *self.sum,
            largest: &mut *self.largest,
            weight: &mut *self.weight,
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

/// What attends: one query head of one row.
pub struct Head<'a> {
    /// Its query.
    pub query: &'a [f32],
    /// Its result over the segment, of as many dimensions.
    pub partial: Partial<'a>,
    /// The row's position, the last that it attends to.
    pub position: usize,
}

/// 1 / sqrt(head size), by which scores are multiplied.
pub fn scale(head_size: usize) -> f32 {
    1.0 / sqrt(head_size as f32)
}

/// Attends to the tiles that begin at `starts`, ascending, with up to [`HEADS`] `heads`, whose
/// queries are of one length.
pub fn attend<'t>(
    level: Level,
    heads: &mut [Head<'_>],
    starts: impl Iterator<Item = usize>,
    tile_at: impl Fn(usize) -> Option<Tile<'t>>,
) -> Option<()> {
    let mut queries: [&[f32]; HEADS] = [&[]; HEADS];
    for (query, head) in queries.iter_mut().zip(heads.iter()) {
        *query = head.query;
    }
    let queries = queries.get(..heads.len())?;
    let scale = scale(heads.first()?.query.len());
    let mut p = [[0.0; TILE]; HEADS];
    for start in starts {
        let tile = tile_at(start)?;
        let end = |head: &Head<'_>| (head.position + 1).saturating_sub(start).min(TILE);
        let least = heads.iter().map(end).min()?;
        let most = heads.iter().map(end).max()?;
        attention::scores(level, tile.keys, queries, most, &mut p);
        for (p, head) in p.iter_mut().zip(heads.iter_mut()) {
            weights(p, end(head), scale, head.partial.reborrow());
        }
        weigh(level, tile, 0..least, &p, heads);
        // The positions that some of the heads attend to, which must not touch the others.
        if most > least {
            for (p, head) in p.iter().zip(heads.iter_mut()) {
                let end = end(head);
                weigh(
                    level,
                    tile,
                    least..end,
                    slice::from_ref(p),
                    slice::from_mut(head),
                );
            }
        }
    }
    Some(())
}

/// Adds p * v to the results of `heads`.
#[inline]
fn weigh(
    level: Level,
    tile: Tile<'_>,
    range: Range<usize>,
    p: &[[f32; TILE]],
    heads: &mut [Head<'_>],
) {
    let count = heads.len();
    let mut sums: [&mut [f32]; HEADS] = core::array::from_fn(|_| Default::default());
    for (sum, head) in sums.iter_mut().zip(heads) {
        *sum = &mut *head.partial.sum;
    }
    let sums = sums.get_mut(..count).unwrap_or_default();
    attention::weigh(level, tile.values, range, p, sums);
}

/// Turns the scores of the first `count` positions of a tile into p = exp(score - m), and adds
/// their sum to the result.
#[inline]
fn weights(p: &mut [f32; TILE], count: usize, scale: f32, partial: Partial<'_>) {
    // In whole groups, of which some positions may be outside: p is +0 there, or NaN where the
    // whole row is.
    if let Some(outside) = p.get_mut(count..) {
        outside.fill(f32::NEG_INFINITY);
    }
    match count.div_ceil(LANES) {
        0 => {}
        1 => weights_of::<1>(p, scale, partial),
        2 => weights_of::<2>(p, scale, partial),
        3 => weights_of::<3>(p, scale, partial),
        _ => weights_of::<4>(p, scale, partial),
    }
}

/// [`weights`] of the first `N` groups of positions.
#[inline]
fn weights_of<const N: usize>(p: &mut [f32; TILE], scale: f32, mut partial: Partial<'_>) {
    let (groups, _) = p.as_chunks_mut::<LANES>();
    let Some(groups) = groups.first_chunk_mut::<N>() else {
        return;
    };
    for score in groups.as_flattened_mut() {
        *score *= scale;
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
            let layout = KvLayout {
                layers: 1,
                kv_heads: 1,
                head_size: head_size as u32,
            };
            let block = |first: usize| -> Vec<u8> {
                let mut block = vec![f32::NAN; 2 * layout.tile_values()];
                for position in first..positions.min(first + TILE) {
                    for dimension in 0..head_size {
                        let key = layout.key_index(position as u32, dimension);
                        block[key] = keys[position][dimension];
                        let value = layout.value_index(position as u32, dimension);
                        block[value] = values[position][dimension];
                    }
                }
                block.iter().flat_map(|value| value.to_le_bytes()).collect()
            };
            let blocks: Vec<Vec<u8>> = (0..positions).step_by(TILE).map(block).collect();
            for level in Level::all() {
                let mut partial = vec![7.0; partial_values(head_size)];
                let mut partial = Partial::view(&mut partial, head_size).unwrap();
                partial.clear();
                let mut head = Head {
                    query: &query,
                    partial,
                    position: positions - 1,
                };
                let starts = (0..positions).step_by(TILE);
                let tile = |start: usize| Some(Tile::new(&blocks[start / TILE], KvType::F32));
                attend(level, slice::from_mut(&mut head), starts, tile).unwrap();
                let (sum, largest, weight) = by_the_contract(&query, &keys, &values);
                let partial = head.partial;
                assert_eq!(
                    partial.sum.to_vec(),
                    sum,
                    "{level:?}, head size {head_size}, {positions} positions"
                );
                assert_eq!((*partial.largest, *partial.weight), (largest, weight));
            }
        }
    }
}
