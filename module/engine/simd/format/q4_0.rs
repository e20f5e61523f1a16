// SPDX-License-Identifier: GPL-2.0
//! Q4_0: blocks of 32 weights of 4 bits with a binary16 scale; weight = scale * (quantum - 8).
//!
//! In memory a byte holds two rows, "nibble pairs": row A's quantum above as a two's complement
//! number (quantum - 8), row B's below, unsigned. Taken as signed bytes against activations a, the
//! sum of the bytes is 16 A + B', that of the low nibbles B', and B = B' - 8 * sum(a): one AND and
//! two dot products for two rows.

use crate::simd::activation::{ActivationKind, Int8Block};
use crate::simd::codec::{Codec, finite_f16};
use crate::simd::finite::Finite;
use crate::simd::group::GROUP_ROWS;
use crate::simd::layout::{Layout, Product, Row32};
use crate::simd::level::Instructions;
use crate::simd::plain::Plain;
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
pub(super) struct Q4_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    /// Byte i: weight i below, weight i + 16 above.
    quanta: [[u8; 4]; 4],
}

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Group {
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

/// Zeros: their pairs are bytes of zero.
#[cfg(target_arch = "aarch64")]
const ZERO: File = File {
    scale: [0; 2],
    quanta: [[0x88; 4]; 4],
};

impl Group {
    /// Weights 4j to 4j + 3 of a half of the rows.
    #[inline(always)]
    fn chunk(&self, half: usize, j: usize) -> &Chunk {
        &self.pairs[j / 4 % 2][half % 2][j % 4]
    }
}

impl Codec for Q4_0 {
    type File = File;
    type Layout = Self;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut Row32<[u8; 2]>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        let (low, high) = row.quanta.split_at_mut(16);
        for (byte, (low, high)) in file
            .quanta
            .as_flattened()
            .iter()
            .zip(low.iter_mut().zip(high))
        {
            (*low, *high) = ((byte & 15).cast_signed() - 8, (byte >> 4).cast_signed() - 8);
        }
        Some(())
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn interleave(rows: &[Option<&File>; GROUP_ROWS], groups: &mut [Group]) -> Result<(), usize> {
        let rows = rows.map(|row| row.unwrap_or(&ZERO));
        for group in groups {
            group.scales = Scales::gather(rows.map(|row| &row.scale))?;
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { pack::interleave_pairs(&rows, group) };
        }
        Ok(())
    }
}

impl Layout for Q4_0 {
    const BLOCK: usize = 32;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per32;
    type Group = Group;
    type Activation = Int8Block;
    type Row = Row32<[u8; 2]>;

    fn put(group: &mut Group, lane: usize, row: &Self::Row) {
        group.scales.set(lane, row.scaling);
        let (fours, _) = row.quanta.as_chunks::<4>();
        for (j, four) in fours.iter().enumerate() {
            let chunk = &mut group.pairs[j / 4 % 2][lane / 8 % 2][j % 4];
            for (byte, quantum) in chunk[lane % 4].iter_mut().zip(four) {
                *byte |= if lane % 8 < 4 {
                    quantum << 4
                } else {
                    quantum + 8
                }
                .cast_unsigned();
            }
        }
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
        i32::from(byte.cast_signed() >> 4)
    } else {
        i32::from(byte & 15) - 8
    }
}
