// SPDX-License-Identifier: GPL-2.0
//! Q4_0: blocks of 32 weights of 4 bits with a binary16 scale; weight = scale * (quantum - 8).
//!
//! In memory a byte holds two rows, "nibble pairs": row A's quantum above as a two's complement
//! number (quantum - 8), row B's below, unsigned. Taken as signed bytes against activations a, the
//! sum of the bytes is 16 A + B', that of the low nibbles B', and B = B' - 8 * sum(a): one AND and
//! two dot products for two rows.

use super::GROUP_ROWS;
use crate::simd::activation::{ActivationKind, Int8Block};
use crate::simd::finite::Finite;
use crate::simd::level::Instructions;
use crate::simd::packed_format::PackedFormat;
use crate::simd::plain::Plain;
use crate::simd::product::Product;
use crate::simd::scales::Scales;

#[cfg(target_arch = "aarch64")]
mod dotprod;
#[cfg(target_arch = "aarch64")]
mod i8mm;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod pack;

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
    /// As [half of the weights][half of the rows][four of the weights][pair p]: row 8 * half + p
    /// above, row 8 * half + 4 + p below; in the order that the SDOT loop reads.
    pairs: [[[Chunk; 4]; 2]; 2],
    scales: Scales,
}

/// Four weights of four row pairs.
type Chunk = [[u8; 4]; 4];

// SAFETY: arrays of bytes, 2 + 16 without padding.
unsafe impl Plain for File {}
// SAFETY: arrays of bytes, 256 + 32 without padding.
unsafe impl Plain for Group {}
const _: () = assert!(size_of::<File>() == 18 && size_of::<Group>() == 288);

impl File {
    /// Quanta 4j to 4j + 3, one in each byte.
    #[cfg(any(test, not(target_arch = "aarch64")))]
    fn quanta(&self, j: usize) -> u32 {
        let bytes = u32::from_le_bytes(self.quanta[j % 4]);
        (if j % 8 < 4 { bytes } else { bytes >> 4 }) & 0x0f0f_0f0f
    }
}

impl Group {
    /// Weights 4j to 4j + 3 of a half of the rows.
    #[inline(always)]
    fn chunk(&self, half: usize, j: usize) -> &Chunk {
        &self.pairs[j / 4 % 2][half % 2][j % 4]
    }
}

impl PackedFormat for Q4_0 {
    const BLOCK: usize = 32;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per32;
    type File = File;
    type Group = Group;
    type Activation = Int8Block;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];
    const ZERO: File = File {
        scale: [0; 2],
        quanta: [[0x88; 4]; 4],
    };

    fn interleave(rows: &[&File; GROUP_ROWS], group: &mut Group) -> Result<(), usize> {
        group.scales = Scales::gather(|lane| rows[lane % GROUP_ROWS].scale)?;
        #[cfg(not(target_arch = "aarch64"))]
        interleave_pairs(rows, group);
        // SAFETY: Advanced SIMD is part of the target.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            pack::interleave_pairs(rows, group);
        }
        Ok(())
    }

    fn value(group: &Group, lane: usize, k: usize) -> f32 {
        let (lane, k) = (lane % GROUP_ROWS, k % Self::BLOCK);
        let quantum = quantum(group.chunk(lane / 8, k / 4)[lane % 4][k % 4], lane);
        group.scales.row(lane) * quantum as f32
    }

    #[inline(always)]
    fn accumulate(group: &Group, activation: &Int8Block, sums: &mut [f32; GROUP_ROWS]) {
        let mut dots = [0i32; GROUP_ROWS];
        for (lane, dot) in dots.iter_mut().enumerate() {
            let (activations, _) = activation.values.as_flattened().as_chunks::<4>();
            for (j, a) in activations.iter().enumerate() {
                for (byte, a) in group.chunk(lane / 8, j)[lane % 4].iter().zip(a) {
                    *dot += quantum(*byte, lane) * i32::from(*a);
                }
            }
        }
        group.scales.add(dots, activation, sums);
    }

    fn multiply(instructions: Instructions, product: Product<'_, Self>) {
        match instructions {
            Instructions::Scalar => product.twin(),
            // SAFETY: by the invariant of `Level` the CPU has these instructions.
            #[cfg(target_arch = "aarch64")]
            Instructions::Neon => unsafe { neon::multiply(product) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Instructions::Dotprod => unsafe { dotprod::multiply(product) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Instructions::I8mm => unsafe { i8mm::multiply(product) },
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

/// The scalar twin of the interleaving.
#[cfg(any(test, not(target_arch = "aarch64")))]
fn interleave_pairs(rows: &[&File; GROUP_ROWS], group: &mut Group) {
    for (part, halves) in group.pairs.iter_mut().enumerate() {
        for (half, chunks) in halves.iter_mut().enumerate() {
            for (j, pairs) in chunks.iter_mut().enumerate() {
                for (p, pair) in pairs.iter_mut().enumerate() {
                    let above = rows[8 * half + p].quanta(4 * part + j) ^ 0x0808_0808;
                    let below = rows[8 * half + 4 + p].quanta(4 * part + j);
                    *pair = (above << 4 | below).to_le_bytes();
                }
            }
        }
    }
}
