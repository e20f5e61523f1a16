// SPDX-License-Identifier: GPL-2.0
//! Layout of the KV cache: blocks of 32 positions, each for all layers and heads.

use crate::abi::BLOCK_POSITIONS;

pub use crate::simd::attention::BLOCK;
pub use crate::simd::attention::KvType;
pub use crate::simd::attention::LANES;
pub use crate::simd::attention::TILE;

// A block is a tile of attention.
const _: () = assert!(TILE == BLOCK_POSITIONS as usize);
/// Positions of a segment, the unit that different workers may attend to.
pub const SEGMENT: usize = 256;

impl KvType {
    /// Every type.
    #[cfg(test)]
    pub const ALL: [KvType; 3] = [KvType::F16, KvType::F32, KvType::Q8_0];

    /// The type of `SISLM_KV_*` number `kind`.
    pub fn new(kind: u32) -> Option<KvType> {
        match kind {
            0 => Some(KvType::F16),
            1 => Some(KvType::F32),
            2 => Some(KvType::Q8_0),
            _ => None,
        }
    }

    /// Bytes of `values`, whose blocks of dimensions have `scales` where the type has any.
    #[inline(always)]
    pub fn bytes(self, values: usize, scales: usize) -> usize {
        match self {
            KvType::F16 => values * 2,
            KvType::F32 => values * 4,
            KvType::Q8_0 => values + scales * size_of::<u16>(),
        }
    }
}

/// Places of a layer in the blocks of a model. A block is (layer, kv head, key then value): keys are
/// (4 groups of 8 positions, dimension, position in the group), values (position, dimension). Behind either are
/// its scales, where the type has any: of keys (group, block of dimensions, position), of values (position, block).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KvLayout {
    /// Values of a block that are those of layers before.
    pub first: u32,
    /// Scales of a block that are those of layers before, where it has any.
    pub first_scale: u32,
    /// Key and value heads.
    pub kv_heads: u32,
    /// Dimensions of a head.
    pub head_size: u32,
}

impl KvLayout {
    /// Values of the keys, and of the values, of one head of a block.
    pub fn tile_values(&self) -> usize {
        TILE * self.head_size as usize
    }

    /// Values of the layer in a block; `None` when they are too many.
    pub fn values(&self) -> Option<u32> {
        let heads = self.kv_heads.checked_mul(self.head_size)?;
        // CAST: A small constant.
        #[expect(clippy::cast_possible_truncation)]
        let each = 2 * TILE as u32;
        heads.checked_mul(each)
    }

    /// Scales of a row of one head.
    pub fn row_scales(&self) -> usize {
        (self.head_size as usize).div_ceil(BLOCK)
    }

    /// Scales of the layer in a block; `None` when they are too many.
    pub fn scales(&self) -> Option<u32> {
        // CAST: Two small constants.
        #[expect(clippy::cast_possible_truncation)]
        let (each, block) = (2 * TILE as u32, BLOCK as u32);
        let heads = self.kv_heads.checked_mul(self.head_size.div_ceil(block))?;
        heads.checked_mul(each)
    }

    /// Bytes of the keys, and of the values, of one head of a block.
    #[inline(always)]
    pub fn half_bytes(&self, kv_type: KvType) -> usize {
        kv_type.bytes(self.tile_values(), TILE * self.row_scales())
    }

    /// Bytes of the keys and values of one head of a block.
    #[inline(always)]
    pub fn head_bytes(&self, kv_type: KvType) -> usize {
        2 * self.half_bytes(kv_type)
    }

    /// First byte of a head in a block.
    #[inline(always)]
    pub fn head_offset(&self, head: u32, kv_type: KvType) -> usize {
        let before = kv_type.bytes(self.first as usize, self.first_scale as usize);
        before + head as usize * self.head_bytes(kv_type)
    }

    /// Index of a key of `position` (of the sequence), counted from the head's first value.
    pub fn key_index(&self, position: u32, dimension: usize) -> usize {
        let position = position as usize % TILE;
        let group = position / LANES * LANES * self.head_size as usize;
        group + dimension * LANES + position % LANES
    }

    /// Index of a value, counted from the first of the head's values.
    pub fn row_index(&self, position: u32, dimension: usize) -> usize {
        position as usize % TILE * self.head_size as usize + dimension
    }

    /// Index of a value, as [`KvLayout::key_index`], where keys have no scales.
    pub fn value_index(&self, position: u32, dimension: usize) -> usize {
        self.tile_values() + self.row_index(position, dimension)
    }

    /// Index of the scale of `block` of a key, counted from the first scale of the head's keys.
    pub fn key_scale_index(&self, position: u32, block: usize) -> usize {
        let position = position as usize % TILE;
        let group = position / LANES * LANES * self.row_scales();
        group + block * LANES + position % LANES
    }

    /// Index of the scale of `block` of a value, counted from the first scale of the head's values.
    pub fn value_scale_index(&self, position: u32, block: usize) -> usize {
        position as usize % TILE * self.row_scales() + block
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_head_has_its_own_place() {
        let layout = KvLayout {
            first: 100,
            first_scale: 10,
            kv_heads: 2,
            head_size: 6,
        };
        let mut seen = vec![0; 2 * layout.tile_values()];
        for position in 64..96 {
            for dimension in 0..6 {
                seen[layout.key_index(position, dimension)] += 1;
                seen[layout.value_index(position, dimension)] += 1;
            }
        }
        assert!(seen.iter().all(|&count| count == 1));
        assert_eq!(layout.values(), Some(2 * seen.len() as u32));
        assert_eq!(layout.head_offset(1, KvType::F32), (100 + seen.len()) * 4);
        assert_eq!(layout.head_offset(1, KvType::F16), (100 + seen.len()) * 2);
    }

    #[test]
    fn every_scale_of_a_head_has_its_own_place() {
        let layout = KvLayout {
            first: 100,
            first_scale: 10,
            kv_heads: 2,
            head_size: 70,
        };
        let mut seen = vec![[0; 2]; 3 * TILE];
        for position in 32..64 {
            for block in 0..3 {
                seen[layout.key_scale_index(position, block)][0] += 1;
                seen[layout.value_scale_index(position, block)][1] += 1;
            }
        }
        assert!(seen.iter().all(|count| *count == [1, 1]));
        assert_eq!(layout.scales(), Some(2 * 2 * seen.len() as u32));
        let half = 70 * TILE + 2 * seen.len();
        assert_eq!(layout.half_bytes(KvType::Q8_0), half);
        assert_eq!(layout.head_offset(1, KvType::Q8_0), 100 + 2 * 10 + 2 * half);
    }
}
