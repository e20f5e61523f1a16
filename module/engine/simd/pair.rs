// SPDX-License-Identifier: GPL-2.0
//! Two rows of activations interleaved for SMMLA, which multiplies 2 x 8 with 8 x 2 integers.

use super::activation::int8::Int8Block;
use super::group::TILE_ROWS;
use super::plain::Plain;

/// The bits of 1.5 * 2^23. A sum below 2^22 that is counted from here on is, as the bits of a
/// float, that number plus the sum: a subtraction converts it, exactly, in less time than SCVTF.
pub(super) const MAGIC: i32 = 0x4b40_0000;

/// A block of 32 of two rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PairBlock {
    /// As [weights 8j to 8j + 7][row].
    pub values: [[[i8; 8]; 2]; 4],
    /// The offsets of the two rows, twice, each plus [`MAGIC`].
    pub offset: [[u8; 4]; 4],
    /// The scales of the two rows, twice.
    pub scale: [[u8; 4]; 4],
    /// The scales times the sums of the values of the two rows, twice.
    pub product: [[u8; 4]; 4],
    /// The i32 128 * sum of the values of the two rows, twice.
    pub start: [[u8; 4]; 4],
    /// Zeros.
    pub pad: [u8; 32],
}

// SAFETY: arrays of bytes, 64 + 4 * 16 + 32 without padding.
unsafe impl Plain for PairBlock {}
const _: () = assert!(size_of::<PairBlock>() == 2 * size_of::<Int8Block>());

/// Interleaves each two blocks of `blocks`, in place.
pub(super) fn interleave(blocks: &mut [Int8Block]) {
    let (pairs, _) = blocks.as_chunks_mut::<2>();
    for pair in pairs {
        let [first, second] = *pair;
        let (first_values, _) = first.values.as_flattened().as_chunks::<8>();
        let (second_values, _) = second.values.as_flattened().as_chunks::<8>();
        let twice = |of: fn(&Int8Block) -> [u8; 4]| {
            let (first, second) = (of(&first), of(&second));
            [first, second, first, second]
        };
        let mut block = PairBlock {
            values: [[[0; 8]; 2]; 4],
            offset: twice(|block| {
                let offset = i32::from_le_bytes(block.offset[0][0]);
                MAGIC.wrapping_add(offset).to_le_bytes()
            }),
            scale: twice(|block| block.scale[0]),
            product: twice(|block| block.scale[1]),
            start: twice(|block| block.scale[2]),
            pad: [0; 32],
        };
        for (values, rows) in block
            .values
            .iter_mut()
            .zip(first_values.iter().zip(second_values))
        {
            *values = [*rows.0, *rows.1];
        }
        // SAFETY: a pair block has the size of two blocks, and both are made of any bytes.
        *pair = unsafe { core::mem::transmute::<PairBlock, [Int8Block; 2]>(block) };
    }
}

/// Each four rows of interleaved blocks as the tile they are.
#[inline(always)]
pub(super) fn tiles<Block: Plain, Tile: Plain>(blocks: &[Block]) -> &[Tile] {
    const { assert!(size_of::<Tile>() == TILE_ROWS * size_of::<Block>()) };
    let tiles = blocks.len() / TILE_ROWS;
    // SAFETY: a tile has the size of four blocks, and by `Plain` an alignment of 1 and any bytes.
    unsafe { core::slice::from_raw_parts(blocks.as_ptr().cast(), tiles) }
}
