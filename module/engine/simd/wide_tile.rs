// SPDX-License-Identifier: GPL-2.0
//! Four rows of wide blocks interleaved in pairs for SMMLA.

use super::activation::wide::{WideBlock, WidePart};
use super::group::TILE_ROWS;
use super::plain::Plain;

/// 32 of the 256 values of two rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct PairPart {
    /// As [values 8j to 8j + 7][row].
    pub values: [[[i8; 8]; 2]; 4],
    /// The i32 128 * sum of the values of the two rows, twice.
    pub start: [[u8; 4]; 4],
    /// Zeros.
    pub zeros: [[[u8; 4]; 4]; 2],
    /// The i16 sums of the first and the last 16 values of the two rows, twice.
    pub halves: [[[u8; 2]; 4]; 2],
}

/// A block of four rows, two pairs.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct WideTile {
    /// The values by 32, as [part][pair].
    pub parts: [[PairPart; 2]; 8],
    /// The sums of a pair as in [`WideBlock`], as [pair][upper, lower][row][part].
    pub sums: [[[[i8; 8]; 2]; 2]; 2],
    /// The scales of the two rows of a pair, twice.
    pub scales: [[[u8; 4]; 4]; 2],
    /// The sums of each 16 values of a pair, as [pair][upper, lower][half of the sums][row].
    pub halves: [[[[[i8; 8]; 2]; 2]; 2]; 2],
    /// Padding to four blocks.
    pub pad: [u8; 416],
}

// SAFETY: arrays of bytes, 64 + 16 + 32 + 16 without padding.
unsafe impl Plain for PairPart {}
// SAFETY: arrays of bytes, 16 * 128 + 64 + 32 + 128 + 416 without padding.
unsafe impl Plain for WideTile {}
const _: () = assert!(size_of::<PairPart>() == 2 * size_of::<WidePart>());
const _: () = assert!(size_of::<WideTile>() == TILE_ROWS * size_of::<WideBlock>());

impl WideTile {
    /// Puts a block in its place as the row `row`, taken modulo 4.
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, block: &WideBlock) {
        let (pair, i) = (row / 2 % 2, row % 2);
        for (index, (parts, part)) in self.parts.iter_mut().zip(&block.parts).enumerate() {
            let out = &mut parts[pair];
            let (eights, _) = part.values.as_flattened().as_chunks();
            for (out, eight) in out.values.iter_mut().zip(eights) {
                out[i] = *eight;
            }
            (out.start[i], out.start[i + 2]) = (part.start[0][0], part.start[0][0]);
            out.zeros = [[[0; 4]; 4]; 2];
            for (n, halves) in out.halves.iter_mut().enumerate() {
                // CAST: At most 16 * 127.
                #[expect(clippy::cast_possible_truncation)]
                let sum = (block.half_sum(2 * index + n) as i16).to_le_bytes();
                (halves[i], halves[i + 2]) = (sum, sum);
            }
        }
        for (out, sums) in self.sums[pair].iter_mut().zip(block.sums) {
            out[i] = sums;
        }
        for (out, sums) in self.halves[pair].iter_mut().zip(block.halves) {
            for (out, sums) in out.iter_mut().zip(sums.as_chunks().0) {
                out[i] = *sums;
            }
        }
        (self.scales[pair][i], self.scales[pair][i + 2]) = (block.scale[0], block.scale[0]);
    }
}
