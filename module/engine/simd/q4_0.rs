// SPDX-License-Identifier: GPL-2.0
//! Q4_0: blocks of 32 weights of 4 bits with a binary16 scale; weight = scale * (quantum - 8).
//!
//! In memory a byte holds two rows, "nibble pairs": row A's quantum above as a two's complement number (quantum - 8), row
//! B's below, unsigned. Taken as signed bytes against activations a, the sum of the bytes is 16 A + B', that of the low
//! nibbles B', and B = B' - 8 * sum(a): one AND and two dot products for two rows.

use super::activation::{ActivationKind, Int8Block};
use super::format::GROUP_ROWS;
use super::level::Instructions;
use super::packed_format::PackedFormat;
use super::plain::Plain;
use super::product::Product;
use crate::math::fma::fma;
use crate::math::half::f16_to_f32;

/// The format.
pub struct Q4_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct File {
    scale: [u8; 2],
    /// Byte i: weight i below, weight i + 16 above.
    quanta: [[u8; 4]; 4],
}

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Group {
    /// Binary16 scales by row.
    pub(super) scales: [[u8; 2]; GROUP_ROWS],
    /// As [weights 4j to 4j + 3][half of the rows][pair p]: rows 8 * half + p above and 8 * half + 4 + p below.
    pub(super) pairs: [[[[u8; 4]; 4]; 2]; 8],
}

// SAFETY: arrays of bytes, 2 + 16 without padding.
unsafe impl Plain for File {}
// SAFETY: arrays of bytes, 32 + 256 without padding.
unsafe impl Plain for Group {}
const _: () = assert!(size_of::<File>() == 18 && size_of::<Group>() == 288);

impl File {
    /// Quanta 4j to 4j + 3, one in each byte.
    fn quanta(&self, j: usize) -> u32 {
        let bytes = u32::from_le_bytes(self.quanta[j % 4]);
        (if j % 8 < 4 { bytes } else { bytes >> 4 }) & 0x0f0f_0f0f
    }
}

impl PackedFormat for Q4_0 {
    const BLOCK: usize = 32;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per32;
    type File = File;
    type Group = Group;
    type Activation = Int8Block;
    const ZERO: File = File {
        scale: [0; 2],
        quanta: [[0x88; 4]; 4],
    };

    fn interleave(rows: &[&File; GROUP_ROWS]) -> Result<Group, usize> {
        let mut group = Group {
            scales: [[0; 2]; GROUP_ROWS],
            pairs: [[[[0; 4]; 4]; 2]; 8],
        };
        for (lane, (scale, row)) in group.scales.iter_mut().zip(rows).enumerate() {
            if u16::from_le_bytes(row.scale) & 0x7c00 == 0x7c00 {
                return Err(lane);
            }
            *scale = row.scale;
        }
        for (j, halves) in group.pairs.iter_mut().enumerate() {
            for (half, pairs) in halves.iter_mut().enumerate() {
                for (p, pair) in pairs.iter_mut().enumerate() {
                    let above = rows[8 * half + p].quanta(j) ^ 0x0808_0808;
                    *pair = (above << 4 | rows[8 * half + 4 + p].quanta(j)).to_le_bytes();
                }
            }
        }
        Ok(group)
    }

    fn value(group: &Group, lane: usize, k: usize) -> f32 {
        let (lane, k) = (lane % GROUP_ROWS, k % Self::BLOCK);
        let quantum = quantum(group.pairs[k / 4][lane / 8][lane % 4][k % 4], lane);
        f16_to_f32(u16::from_le_bytes(group.scales[lane])) * quantum as f32
    }

    #[inline(always)]
    fn accumulate(group: &Group, activation: &Int8Block, sums: &mut [f32; GROUP_ROWS]) {
        let mut dots = [0i32; GROUP_ROWS];
        for (halves, a) in group.pairs.iter().zip(activation.values.as_chunks::<4>().0) {
            for (lane, dot) in dots.iter_mut().enumerate() {
                for (byte, a) in halves[lane / 8][lane % 4].iter().zip(a) {
                    *dot += quantum(*byte, lane) * i32::from(*a);
                }
            }
        }
        let scale = f32::from_le_bytes(activation.scale);
        for (sum, (dot, row)) in sums.iter_mut().zip(dots.iter().zip(&group.scales)) {
            let row = f16_to_f32(u16::from_le_bytes(*row));
            *sum = fma(*dot as f32, row * scale, *sum);
        }
    }

    fn multiply(instructions: Instructions, product: Product<'_, Self>) {
        match instructions {
            Instructions::Scalar => product.twin(),
            #[cfg(target_arch = "aarch64")]
            _ => product.twin(),
        }
    }
}

/// The quantum, -8 to 7, of the row in `lane` out of its pair's byte.
#[inline(always)]
fn quantum(byte: u8, lane: usize) -> i32 {
    if lane % 8 < 4 {
        i32::from(byte as i8 >> 4)
    } else {
        i32::from(byte & 15) - 8
    }
}
