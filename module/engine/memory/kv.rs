// SPDX-License-Identifier: GPL-2.0
//! Layout of the KV cache: blocks of 32 positions, each for all layers and heads.

use crate::abi::BLOCK_POSITIONS;

pub use crate::simd::attention::KvType;
pub use crate::simd::attention::LANES;
pub use crate::simd::attention::TILE;

// A block is a tile of attention.
const _: () = assert!(TILE == BLOCK_POSITIONS as usize);
/// Positions of a segment, the unit that different workers may attend to.
pub const SEGMENT: usize = 256;

impl KvType {
    /// The type of `SISLM_KV_*` number `kind`.
    pub fn new(kind: u32) -> Option<KvType> {
        match kind {
            0 => Some(KvType::F16),
            1 => Some(KvType::F32),
            _ => None,
        }
    }

    /// Bytes of a value.
    pub fn bytes(self) -> usize {
        match self {
            KvType::F16 => 2,
            KvType::F32 => 4,
        }
    }
}

/// Places of a layer in the blocks of a model. A block is (layer, kv head, key then value): keys are
/// (4 groups of 8 positions, dimension, position in the group), values (position, dimension).
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct KvLayout {
    /// Values of a block that are those of layers before.
    pub first: u32,
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

    /// Bytes of the keys and values of one head of a block.
    pub fn head_bytes(&self, kv_type: KvType) -> usize {
        2 * self.tile_values() * kv_type.bytes()
    }

    /// First byte of a head in a block.
    #[inline(always)]
    pub fn head_offset(&self, head: u32, kv_type: KvType) -> usize {
        let before = self.first as usize * kv_type.bytes();
        before + head as usize * self.head_bytes(kv_type)
    }

    /// Index of a key of `position` (of the sequence), counted from the head's first value.
    pub fn key_index(&self, position: u32, dimension: usize) -> usize {
        let position = position as usize % TILE;
        let group = position / LANES * LANES * self.head_size as usize;
        group + dimension * LANES + position % LANES
    }

    /// Index of a value, as [`KvLayout::key_index`].
    pub fn value_index(&self, position: u32, dimension: usize) -> usize {
        let position = position as usize % TILE;
        self.tile_values() + position * self.head_size as usize + dimension
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_head_has_its_own_place() {
        let layout = KvLayout {
            first: 100,
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
    }
}
