// SPDX-License-Identifier: GPL-2.0
//! Q4_K: blocks of 256 weights of 4 bits in 8 parts of 32; weight = (d * scale) * quantum - dmin *
//! minimum, with 6-bit scales and minima.
//!
//! The quanta lie in nibble pairs as those of Q4_0. Scales and minima stay packed as in the file, a
//! 32-bit lane holding the same third of a row: its four bytes belong to four parts, so that SDOT
//! multiplies the minima of four parts with the sums of their activations.

use crate::math::fma::fma;
use crate::simd::activation::{ActivationKind, WideBlock};
use crate::simd::codec::{Codec, finite_f16};
use crate::simd::finite::Finite;
use crate::simd::group::GROUP_ROWS;
use crate::simd::layout::{Layout, Product, Row256};
use crate::simd::level::Instructions;
use crate::simd::plain::Plain;
use crate::simd::scales::Scales;

#[cfg(target_arch = "aarch64")]
mod dotprod;
#[cfg(target_arch = "aarch64")]
mod i8mm;
#[cfg(target_arch = "aarch64")]
mod loops;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "aarch64")]
mod pack;
#[cfg(target_arch = "aarch64")]
mod scales;

/// The format.
pub(super) struct Q4K;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    dmin: [u8; 2],
    /// Eight scales and eight minima of 6 bits, see [`Group::scale_and_minimum`].
    scales: [[u8; 4]; 3],
    /// Byte i of part pair n: weight i of part 2n below, weight i of part 2n + 1 above.
    quanta: [[[u8; 4]; 8]; 4],
}

/// Scales and minima of a block of one row, as in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Scaling {
    d: [u8; 2],
    dmin: [u8; 2],
    scales: [[u8; 4]; 3],
}

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Group {
    d: Scales,
    dmin: Scales,
    /// The thirds of the file's `scales`, as [third][row / 4][row % 4][part % 4].
    scales: [[[[u8; 4]; 4]; 4]; 3],
    /// By part of 32: see the pairs of Q4_0.
    pairs: [[[[[u8; 4]; 4]; 8]; 2]; 8],
}

// SAFETY: arrays of bytes, 2 + 2 + 12 + 128 without padding.
unsafe impl Plain for File {}
// SAFETY: arrays of bytes, 2 + 2 + 12 without padding.
unsafe impl Plain for Scaling {}
// SAFETY: arrays of bytes, 32 + 32 + 192 + 2048 without padding.
unsafe impl Plain for Group {}
const _: () = assert!(size_of::<File>() == 144 && size_of::<Group>() == 16 * 144);

/// A block of zeros.
#[cfg(target_arch = "aarch64")]
const ZERO: File = File {
    d: [0; 2],
    dmin: [0; 2],
    scales: [[0; 4]; 3],
    quanta: [[[0; 4]; 8]; 4],
};

impl Group {
    /// Scale and minimum of a part, 0 to 63 each.
    #[inline(always)]
    fn scale_and_minimum(&self, part: usize, lane: usize) -> (i32, i32) {
        let byte = |third: usize| i32::from(self.scales[third][lane / 4 % 4][lane % 4][part % 4]);
        let (first, second, rest) = (byte(0), byte(1), byte(2));
        if part % 8 < 4 {
            (first & 63, second & 63)
        } else {
            (rest & 15 | first >> 6 << 4, rest >> 4 | second >> 6 << 4)
        }
    }

    /// Weight k of a part, 0 to 15.
    #[inline(always)]
    fn quantum(&self, part: usize, lane: usize, k: usize) -> i32 {
        let byte = self.pairs[part % 8][lane / 8 % 2][k / 4 % 8][lane % 4][k % 4];
        if lane % 8 < 4 {
            i32::from(byte >> 4 ^ 8)
        } else {
            i32::from(byte & 15)
        }
    }
}

impl Codec for Q4K {
    type File = File;
    type Layout = Self;
    const FINITE: &'static [Finite] = &[Finite::F16(0), Finite::F16(2)];

    fn decode(file: &File, _part: usize, row: &mut Row256<Scaling>) -> Option<()> {
        row.scaling = Scaling {
            d: finite_f16(file.d)?,
            dmin: finite_f16(file.dmin)?,
            scales: file.scales,
        };
        let (pairs, _) = row.quanta.as_chunks_mut::<64>();
        for (out, bytes) in pairs.iter_mut().zip(&file.quanta) {
            let (low, high) = out.split_at_mut(32);
            for (byte, (low, high)) in bytes.as_flattened().iter().zip(low.iter_mut().zip(high)) {
                (*low, *high) = ((byte & 15).cast_signed(), (byte >> 4).cast_signed());
            }
        }
        Some(())
    }

    #[cfg(target_arch = "aarch64")]
    fn interleave(rows: &[Option<&File>; GROUP_ROWS], groups: &mut [Group]) -> Result<(), usize> {
        let rows = rows.map(|row| row.unwrap_or(&ZERO));
        for group in groups {
            group.d = Scales::gather(rows.map(|row| &row.d))?;
            group.dmin = Scales::gather(rows.map(|row| &row.dmin))?;
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { pack::interleave_rows(&rows, group) };
        }
        Ok(())
    }
}

impl Layout for Q4K {
    const BLOCK: usize = 256;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per256;
    type Group = Group;
    type Activation = WideBlock;
    type Row = Row256<Scaling>;

    fn put(group: &mut Group, lane: usize, row: &Self::Row) {
        group.d.set(lane, row.scaling.d);
        group.dmin.set(lane, row.scaling.dmin);
        for (third, bytes) in group.scales.iter_mut().zip(row.scaling.scales) {
            third[lane / 4 % 4][lane % 4] = bytes;
        }
        let (parts, _) = row.quanta.as_chunks::<32>();
        for (part, quanta) in group.pairs.iter_mut().zip(parts) {
            let chunks = part[lane / 8 % 2].iter_mut();
            for (chunk, four) in chunks.zip(quanta.as_chunks::<4>().0) {
                for (byte, quantum) in chunk[lane % 4].iter_mut().zip(four) {
                    *byte |= if lane % 8 < 4 {
                        (quantum ^ 8) << 4
                    } else {
                        *quantum
                    }
                    .cast_unsigned();
                }
            }
        }
    }

    fn value(group: &Group, lane: usize, k: usize) -> f32 {
        let part = k / 32 % 8;
        let (scale, minimum) = group.scale_and_minimum(part, lane);
        let scale = group.d.row(lane) * scale as f32;
        let minimum = group.dmin.row(lane) * minimum as f32;
        fma(scale, group.quantum(part, lane, k) as f32, -minimum)
    }

    #[inline(always)]
    fn accumulate(group: &Group, activation: &WideBlock, sums: &mut [f32; GROUP_ROWS]) {
        let da = f32::from_le_bytes(activation.scale[0]);
        for (lane, sum) in sums.iter_mut().enumerate() {
            let (mut quanta, mut minima) = (0i32, 0i32);
            for part in 0..8 {
                let (scale, minimum) = group.scale_and_minimum(part, lane);
                let dot: i32 = (0..32)
                    .map(|k| group.quantum(part, lane, k) * activation.value(32 * part + k))
                    .sum();
                quanta += scale * dot;
                minima += minimum * activation.sum(part);
            }
            *sum = fma(quanta as f32, group.d.row(lane) * da, *sum);
            *sum = fma(-minima as f32, group.dmin.row(lane) * da, *sum);
        }
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
