// SPDX-License-Identifier: GPL-2.0
//! Attention of heads that share keys and values to a segment of positions, by online softmax over
//! tiles of 32 positions (Milakov and Gimelshein, 2018; Dao et al., 2022). Point 8 of the numerics
//! contract.
//!
//! What is stored is widened in registers, once for all heads of a call.

use super::level::Level;
use partial::Partial;
use tile::{Cells, Quanta};

pub use tile::{BLOCK, LANES, TILE};

#[cfg(target_arch = "aarch64")]
mod neon;
pub mod partial;
mod tile;
mod twin;

/// Most heads of a call.
pub const HEADS: usize = 4;

/// Type of the stored keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvType {
    /// IEEE binary16, clamped to its finite range.
    F16,
    /// IEEE binary32.
    F32,
    /// Integers of 8 bits, with a binary16 scale for each [`BLOCK`] dimensions of a head.
    Q8_0,
}

/// What attends: one query head of one row.
pub struct Head<'a> {
    /// Its query.
    pub query: &'a [f32],
    /// Its result over the segment, of as many dimensions.
    pub partial: Partial<'a>,
    /// The last position that the row attends to; its own where scores fall with the distance.
    pub position: usize,
    /// The first position that it attends to.
    pub first: usize,
    /// What its scores are multiplied by.
    pub scale: f32,
    /// Soft cap of its scores; 0 for none.
    pub cap: f32,
    /// How much its scores fall from each position to the one before; 0: not at all.
    pub slope: f32,
}

impl Head<'_> {
    /// How many positions of the tile that begins at `first` it attends to.
    #[inline(always)]
    fn reach(&self, first: usize) -> usize {
        (self.position + 1).saturating_sub(first).min(TILE)
    }

    /// Whether its scores of the tile that begins at `first` are only scaled.
    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn is_plain(&self, first: usize) -> bool {
        self.first <= first && self.cap.to_bits() | self.slope.to_bits() == 0
    }
}

/// Attends to `tiles` of `kv_type` with up to [`HEADS`] `heads`, whose queries are of one length.
///
/// A tile is keys (4 groups of 8 positions, dimension, position in the group), then values (position,
/// dimension); the first begins at position `start`. Behind the keys are their scales (group, block of
/// dimensions, position), and behind the values theirs (position, block). `None` when one is too small.
pub fn attend<'t>(
    level: Level,
    kv_type: KvType,
    heads: &mut [Head<'_>],
    start: usize,
    tiles: impl Iterator<Item = &'t [u8]>,
) -> Option<()> {
    match level {
        // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
        #[cfg(target_arch = "aarch64")]
        level if level > Level::SCALAR => unsafe {
            match kv_type {
                KvType::F16 => neon::attend::<Cells<'t, [u8; 2]>>(heads, start, tiles),
                KvType::F32 => neon::attend::<Cells<'t, [u8; 4]>>(heads, start, tiles),
                KvType::Q8_0 => neon::attend::<Quanta<'t>>(heads, start, tiles),
            }
        },
        _ => match kv_type {
            KvType::F16 => twin::attend::<Cells<'t, [u8; 2]>>(heads, start, tiles),
            KvType::F32 => twin::attend::<Cells<'t, [u8; 4]>>(heads, start, tiles),
            KvType::Q8_0 => twin::attend::<Quanta<'t>>(heads, start, tiles),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::scaled::{self, Scaled};
    use super::super::testing::{Guarded, Random};
    use super::partial::partial_values;
    use super::*;
    use crate::math::exp::exp;
    use crate::math::fma::fma;
    use crate::math::half::{f16_to_f32, f32_to_f16};
    use crate::math::tanh::tanh;

    /// Keys or values: (position, dimension).
    type Rows = Vec<Vec<f32>>;

    /// What a head does to its scores beside scaling them.
    #[derive(Clone, Copy, Debug, Default)]
    struct Bend {
        /// Positions before the first that it attends to.
        outside: usize,
        cap: f32,
        slope: f32,
    }

    /// Sum of p * v, largest score and sum of p by the contract, word by word.
    fn by_the_contract(
        query: &[f32],
        keys: &[Vec<f32>],
        values: &[Vec<f32>],
        bend: Bend,
    ) -> (Vec<f32>, f32, f32) {
        let (mut m, mut l) = (f32::NEG_INFINITY, 0f32);
        let mut o = vec![0f32; query.len()];
        let last = keys.len().saturating_sub(1);
        for (index, (keys, values)) in keys.chunks(TILE).zip(values.chunks(TILE)).enumerate() {
            let place = |j: usize| index * TILE + j;
            if place(keys.len()) <= bend.outside {
                continue;
            }
            let score = |(j, key): (usize, &Vec<f32>)| {
                let dot = query.iter().zip(key);
                let dot = dot.fold(0.0, |sum, (q, k)| fma(*q, *k, sum));
                let mut score = dot * (1.0 / (query.len() as f32).sqrt());
                if bend.cap != 0.0 {
                    score = bend.cap * tanh(score / bend.cap);
                }
                if bend.slope != 0.0 {
                    score = fma(-bend.slope, (last - place(j)) as f32, score);
                }
                if place(j) < bend.outside {
                    score = f32::NEG_INFINITY;
                }
                score
            };
            let scores: Vec<f32> = keys.iter().enumerate().map(score).collect();
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

    /// What the type keeps of a row.
    fn kept(kv_type: KvType, row: &[f32]) -> Vec<f32> {
        let of_block = |values: &[f32]| {
            let Scaled { quanta, scale } = scaled::narrow(Level::SCALAR, values);
            let scale = f16_to_f32(scale);
            let quanta = quanta.into_iter().take(values.len());
            quanta.map(|q| scale * f32::from(q)).collect::<Vec<f32>>()
        };
        match kv_type {
            KvType::Q8_0 => row.chunks(BLOCK).flat_map(of_block).collect(),
            KvType::F16 | KvType::F32 => row.to_vec(),
        }
    }

    /// `count` rows of values that binary16 has.
    fn rows(random: &mut Random, count: usize, size: usize) -> Rows {
        let mut half = || f16_to_f32(f32_to_f16(random.float()));
        (0..count)
            .map(|_| (0..size).map(|_| half()).collect())
            .collect()
    }

    /// The bytes of the tile of up to 32 rows; past them lies what must not count.
    fn tile(kv_type: KvType, keys: &[Vec<f32>], values: &[Vec<f32>], size: usize) -> Guarded<u8> {
        if kv_type == KvType::Q8_0 {
            return tile_of_quanta(keys, values, size);
        }
        let mut cells = vec![f32::NAN; 2 * TILE * size];
        for (position, (key, value)) in keys.iter().zip(values).enumerate() {
            for dimension in 0..size {
                let group = position / LANES * size;
                cells[(group + dimension) * LANES + position % LANES] = key[dimension];
                cells[(TILE + position) * size + dimension] = value[dimension];
            }
        }
        let bytes = |value: &f32| match kv_type {
            KvType::F32 => value.to_le_bytes().to_vec(),
            _ => f32_to_f16(*value).to_le_bytes().to_vec(),
        };
        Guarded::copy(&cells.iter().flat_map(bytes).collect::<Vec<u8>>())
    }

    /// [`tile`] of scaled integers.
    fn tile_of_quanta(keys: &[Vec<f32>], values: &[Vec<f32>], size: usize) -> Guarded<u8> {
        let blocks = size.div_ceil(BLOCK);
        let mut quanta = [(); 2].map(|()| vec![0x55i8; TILE * size]);
        let mut scales = [(); 2].map(|()| vec![f32_to_f16(f32::NAN); TILE * blocks]);
        for (position, (key, value)) in keys.iter().zip(values).enumerate() {
            for (block, (key, value)) in key.chunks(BLOCK).zip(value.chunks(BLOCK)).enumerate() {
                let stored = [key, value].map(|values| scaled::narrow(Level::SCALAR, values));
                for (place, dimension) in (block * BLOCK..).take(key.len()).enumerate() {
                    let group = position / LANES * size;
                    let key = (group + dimension) * LANES + position % LANES;
                    quanta[0][key] = stored[0].quanta[place];
                    quanta[1][position * size + dimension] = stored[1].quanta[place];
                }
                let group = position / LANES * blocks;
                scales[0][(group + block) * LANES + position % LANES] = stored[0].scale;
                scales[1][position * blocks + block] = stored[1].scale;
            }
        }
        let mut bytes = Vec::new();
        for (quanta, scales) in quanta.iter().zip(&scales) {
            bytes.extend(quanta.iter().map(|q| *q as u8));
            bytes.extend(scales.iter().flat_map(|scale| scale.to_le_bytes()));
        }
        Guarded::copy(&bytes)
    }

    /// Attends at every level with queries at `positions` and compares with the contract.
    fn check(
        kv_type: KvType,
        queries: &Rows,
        positions: &[usize],
        start: usize,
        stored: [&Rows; 2],
    ) {
        check_bent(kv_type, queries, positions, start, stored, Bend::default());
    }

    /// [`check`] of heads that do more to their scores.
    fn check_bent(
        kv_type: KvType,
        queries: &Rows,
        positions: &[usize],
        start: usize,
        [keys, values]: [&Rows; 2],
        bend: Bend,
    ) {
        let size = queries[0].len();
        let tiles: Vec<Guarded<u8>> = keys
            .chunks(TILE)
            .zip(values.chunks(TILE))
            .map(|(keys, values)| tile(kv_type, keys, values, size))
            .collect();
        let [keys, values] = [keys, values].map(|rows| -> Rows {
            let rows = rows.iter();
            rows.map(|row| kept(kv_type, row)).collect()
        });
        for level in Level::all() {
            let mut results = vec![vec![7.0; partial_values(size)]; queries.len()];
            let mut heads: Vec<Head<'_>> = queries
                .iter()
                .zip(&mut results)
                .zip(positions)
                .map(|((query, result), position)| Head {
                    query,
                    partial: Partial::view(result, size).unwrap(),
                    position: *position,
                    first: start + bend.outside,
                    scale: 1.0 / (size as f32).sqrt(),
                    cap: bend.cap,
                    slope: bend.slope,
                })
                .collect();
            heads.iter_mut().for_each(|head| head.partial.clear());
            attend(
                level,
                kv_type,
                &mut heads,
                start,
                tiles.iter().map(|tile| &**tile),
            )
            .unwrap();
            for (h, head) in heads.iter().enumerate() {
                let count = (head.position + 1).saturating_sub(start);
                let (sum, largest, weight) =
                    by_the_contract(head.query, &keys[..count], &values[..count], bend);
                let case = format!(
                    "{level:?}, {kv_type:?}, {size} dimensions, head {h}, {count} positions"
                );
                let bits = |value: &f32| if value.is_nan() { !0 } else { value.to_bits() };
                assert!(
                    head.partial.sum.iter().map(bits).eq(sum.iter().map(bits)),
                    "{case}"
                );
                assert_eq!(bits(head.partial.weight), bits(&weight), "{case}");
                assert_eq!(*head.partial.largest, largest, "{case}");
            }
        }
    }

    #[test]
    fn every_level_follows_the_contract() {
        let mut random = Random(9);
        for round in 0..300 {
            let size = 1 + random.below(if round % 4 == 0 { 140 } else { 70 });
            let (start, count) = (TILE * random.below(3), 1 + random.below(3 * TILE));
            // Of sizes that make the least p 0, or nearly 1.
            let scale = 2f32.powi(random.below(12) as i32 - 8);
            let heads = 1 + random.below(HEADS);
            let mut queries = rows(&mut random, heads, size);
            queries.iter_mut().flatten().for_each(|q| *q *= scale);
            let positions: Vec<usize> = queries
                .iter()
                .map(|_| (start + random.below(count + 1)).saturating_sub(1))
                .collect();
            let [keys, values] = [(), ()].map(|()| rows(&mut random, count, size));
            for kv_type in KvType::ALL {
                check(kv_type, &queries, &positions, start, [&keys, &values]);
            }
        }
    }

    #[test]
    fn windows_caps_and_slopes_follow_the_contract() {
        let mut random = Random(11);
        for _ in 0..200 {
            let size = 1 + random.below(70);
            let count = 1 + random.below(3 * TILE);
            let heads = 1 + random.below(HEADS);
            let queries = rows(&mut random, heads, size);
            let [keys, values] = [(), ()].map(|()| rows(&mut random, count, size));
            let bend = Bend {
                outside: random.below(count),
                cap: [0.0, 0.0, 20.0][random.below(3)],
                slope: [0.0, 0.0, 0.25][random.below(3)],
            };
            let positions: Vec<usize> = (0..heads)
                .map(|_| bend.outside + random.below(count - bend.outside))
                .collect();
            let stored = [&keys, &values];
            for kv_type in KvType::ALL {
                check_bent(kv_type, &queries, &positions, 0, stored, bend);
            }
        }
    }

    #[test]
    fn every_number_of_positions() {
        let mut random = Random(3);
        let queries = rows(&mut random, HEADS, 64);
        let [keys, values] = [(), ()].map(|()| rows(&mut random, TILE + HEADS, 64));
        for count in 1..=TILE {
            for heads in 1..=HEADS {
                let positions: Vec<usize> = (count - 1..).take(heads).collect();
                let queries = queries[..heads].to_vec();
                for kv_type in [KvType::F16, KvType::Q8_0] {
                    check(kv_type, &queries, &positions, 0, [&keys, &values]);
                }
            }
        }
    }

    #[test]
    fn what_is_no_number_follows_the_contract() {
        let mut random = Random(5);
        let quiet = f32::from_bits(0x7fc0_0001);
        for round in 0..200 {
            let size = 1 + random.below(20);
            let count = 1 + random.below(2 * TILE);
            let queries = rows(&mut random, 1, size);
            let mut keys = rows(&mut random, count, size);
            for _ in 0..=random.below(2) {
                let odd = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, quiet, -quiet][round % 5];
                keys[random.below(count)][random.below(size)] = odd;
            }
            if round % 7 == 0 {
                keys.iter_mut().flatten().for_each(|key| *key = quiet);
            }
            let values = rows(&mut random, count, size);
            for kv_type in [KvType::F32, KvType::Q8_0] {
                check(kv_type, &queries, &[count - 1], 0, [&keys, &values]);
            }
        }
    }

    #[test]
    fn a_tile_that_is_too_small_is_refused() {
        for level in Level::all() {
            for kv_type in KvType::ALL {
                let bytes = vec![0; kv_type.bytes(2 * TILE * 5, 2 * TILE) - 1];
                let mut result = vec![0.0; partial_values(5)];
                let mut head = Head {
                    query: &[0.0; 5],
                    partial: Partial::view(&mut result, 5).unwrap(),
                    position: 0,
                    first: 0,
                    scale: 1.0,
                    cap: 0.0,
                    slope: 0.0,
                };
                let heads = core::slice::from_mut(&mut head);
                assert!(attend(level, kv_type, heads, 0, [&bytes[..]].into_iter()).is_none());
            }
        }
    }
}
