// SPDX-License-Identifier: GPL-2.0
//! Keys and values of a tile in memory, for one key and value head.

use crate::math::half::f16_to_f32;
use crate::simd::plain::{Plain, view};

pub use crate::simd::activation::INT8_BLOCK as BLOCK;

/// Positions of a tile.
pub const TILE: usize = 32;
/// Positions whose keys lie side by side.
pub const LANES: usize = 8;

/// A tile as one of the types has it.
pub(super) trait Tile<'a>: Sized {
    /// Views keys, then values, of heads of `size` dimensions; `None` when there are too few bytes.
    fn view(bytes: &'a [u8], size: usize) -> Option<Self>;

    /// The keys of a group of positions, dimensions ascending; exact.
    fn keys(&self, group: usize) -> impl Iterator<Item = [f32; LANES]>;

    /// The values of a position, dimensions ascending; exact.
    fn values(&self, position: usize) -> impl Iterator<Item = f32>;
}

/// A type of numbers that keys and values are stored in.
pub(super) trait Cell: Plain {
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

/// Piece `index` of those of `size` that `all` is made of; nothing past the end.
#[inline(always)]
fn piece<T>(all: &[T], index: usize, size: usize) -> &[T] {
    let rest = index.checked_mul(size).and_then(|first| all.get(first..));
    rest.and_then(|rest| rest.get(..size)).unwrap_or_default()
}

/// Keys and values that are numbers each.
pub(super) struct Cells<'a, T> {
    /// (4 groups of 8 positions, dimension, position in the group).
    pub(super) keys: &'a [[T; LANES]],
    /// (position, dimension).
    pub(super) values: &'a [T],
    size: usize,
}

impl<'a, T: Cell> Tile<'a> for Cells<'a, T> {
    #[inline(always)]
    fn view(bytes: &'a [u8], size: usize) -> Option<Self> {
        let half = size.checked_mul(TILE * size_of::<T>())?;
        let (keys, values) = bytes.split_at_checked(half)?;
        Some(Cells {
            keys: view(keys),
            values: view(values.get(..half)?),
            size,
        })
    }

    #[inline(always)]
    fn keys(&self, group: usize) -> impl Iterator<Item = [f32; LANES]> {
        let keys = piece(self.keys, group, self.size).iter();
        keys.map(|keys| keys.map(T::widen))
    }

    #[inline(always)]
    fn values(&self, position: usize) -> impl Iterator<Item = f32> {
        let values = piece(self.values, position, self.size).iter();
        values.map(|value| value.widen())
    }
}

/// Keys and values that are integers times a scale, which a [`BLOCK`] of dimensions has in common; the last block
/// may be shorter.
pub(super) struct Quanta<'a> {
    /// (4 groups of 8 positions, dimension, position in the group).
    pub(super) keys: &'a [[i8; LANES]],
    /// (4 groups of 8 positions, block, position in the group).
    pub(super) key_scales: &'a [[[u8; 2]; LANES]],
    /// (position, dimension).
    pub(super) values: &'a [i8],
    /// (position, block).
    pub(super) value_scales: &'a [[u8; 2]],
    size: usize,
}

impl<'a> Tile<'a> for Quanta<'a> {
    #[inline(always)]
    fn view(bytes: &'a [u8], size: usize) -> Option<Self> {
        let quanta = size.checked_mul(TILE)?;
        let scales = size.div_ceil(BLOCK) * TILE * size_of::<[u8; 2]>();
        let (keys, rest) = bytes.split_at_checked(quanta)?;
        let (key_scales, rest) = rest.split_at_checked(scales)?;
        let (values, rest) = rest.split_at_checked(quanta)?;
        Some(Quanta {
            keys: view(keys),
            key_scales: view(key_scales),
            values: view(values),
            value_scales: view(rest.get(..scales)?),
            size,
        })
    }

    #[inline(always)]
    fn keys(&self, group: usize) -> impl Iterator<Item = [f32; LANES]> {
        let keys = piece(self.keys, group, self.size).chunks(BLOCK);
        let scales = piece(self.key_scales, group, self.size.div_ceil(BLOCK));
        keys.zip(scales).flat_map(|(keys, scales)| {
            let scales = scales.map(Cell::widen);
            keys.iter().map(move |keys| {
                let mut widened = scales;
                for (value, quantum) in widened.iter_mut().zip(keys) {
                    *value *= f32::from(*quantum);
                }
                widened
            })
        })
    }

    #[inline(always)]
    fn values(&self, position: usize) -> impl Iterator<Item = f32> {
        let values = piece(self.values, position, self.size).chunks(BLOCK);
        let scales = piece(self.value_scales, position, self.size.div_ceil(BLOCK));
        values.zip(scales).flat_map(|(values, scale)| {
            let scale = scale.widen();
            values.iter().map(move |value| scale * f32::from(*value))
        })
    }
}
