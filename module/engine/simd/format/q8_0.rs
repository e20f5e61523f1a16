// SPDX-License-Identifier: GPL-2.0
//! Q8_0: blocks of 32 weights of 8 bits with a binary16 scale; weight = scale * quantum.

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
pub(super) struct Q8_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    quanta: [[i8; 4]; 8],
}

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Group {
    /// As [half of the rows][weights 4j to 4j + 3][four rows][row].
    quanta: [[[[[i8; 4]; 4]; 2]; 8]; 2],
    scales: Scales,
}

// SAFETY: arrays of bytes, 2 + 32 without padding.
unsafe impl Plain for File {}
// SAFETY: arrays of bytes, 512 + 32 without padding.
unsafe impl Plain for Group {}
const _: () = assert!(size_of::<File>() == 34 && size_of::<Group>() == 544);

/// Zeros.
#[cfg(target_arch = "aarch64")]
const ZERO: File = File {
    scale: [0; 2],
    quanta: [[0; 4]; 8],
};

impl Codec for Q8_0 {
    type File = File;
    type Layout = Self;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut Row32<[u8; 2]>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        row.quanta = *file.quanta.as_flattened().first_chunk()?;
        Some(())
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn interleave(rows: &[Option<&File>; GROUP_ROWS], groups: &mut [Group]) -> Result<(), usize> {
        let rows = rows.map(|row| row.unwrap_or(&ZERO));
        for group in groups {
            group.scales = Scales::gather(rows.map(|row| &row.scale))?;
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { pack::interleave_quanta(&rows, group) };
        }
        Ok(())
    }
}

impl Layout for Q8_0 {
    const BLOCK: usize = 32;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per32;
    type Group = Group;
    type Activation = Int8Block;
    type Row = Row32<[u8; 2]>;

    fn put(group: &mut Group, lane: usize, row: &Self::Row) {
        group.scales.set(lane, row.scaling);
        let (fours, _) = row.quanta.as_chunks::<4>();
        for (chunk, four) in group.quanta[lane / 8 % 2].iter_mut().zip(fours) {
            chunk[lane / 4 % 2][lane % 4] = *four;
        }
    }

    fn value(group: &Group, lane: usize, k: usize) -> f32 {
        let (lane, k) = (lane % GROUP_ROWS, k % Self::BLOCK);
        let quantum = group.quanta[lane / 8][k / 4][lane / 4 % 2][lane % 4][k % 4];
        group.scales.row(lane) * f32::from(quantum)
    }

    #[inline(always)]
    fn accumulate(group: &Group, activation: &Int8Block, sums: &mut [f32; GROUP_ROWS]) {
        let mut dots = [0i32; GROUP_ROWS];
        for (lane, dot) in dots.iter_mut().enumerate() {
            let chunks = group.quanta[lane / 8].iter();
            for (rows, a) in chunks.zip(activation.values.as_flattened().as_chunks::<4>().0) {
                for (quantum, a) in rows[lane / 4 % 2][lane % 4].iter().zip(a) {
                    *dot += i32::from(*quantum) * i32::from(*a);
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
