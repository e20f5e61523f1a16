// SPDX-License-Identifier: GPL-2.0
//! Q6_K: blocks of 256 weights of 6 bits in 16 parts of 16; weight = (d * scale) * (quantum - 32),
//! with 8-bit scales.
//!
//! In memory three bytes hold the weights of four rows. Their upper 6 bits are those of rows 0 to 3,
//! 4 to 7 and 8 to 11 as two's complement numbers (quantum - 32). Their lower 2 bits are a third
//! each of that of rows 12 to 15. Loops leave the weights in the upper 6 bits, and so have 4 times their products.

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

/// The format.
pub(super) struct Q6K;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// By 128 weights: byte i has the lower bits of weights i and i + 64.
    lower: [[u8; 64]; 2],
    /// By 128 weights: byte i has the upper bits of weights i, i + 32, i + 64 and i + 96.
    upper: [[u8; 32]; 2],
    scales: [i8; 16],
    d: [u8; 2],
}

/// The scales of a block of one row.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Scaling {
    d: [u8; 2],
    scales: [i8; 16],
}

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Group {
    d: Scales,
    /// As [part of 16][row].
    scales: [[i8; GROUP_ROWS]; 16],
    /// As [weights 4j to 4j + 3][third][p]: the weights of row 4 * third + p above, of row 12 + p
    /// below, the lowest 2 bits in the first third.
    quanta: [[[[u8; 4]; 4]; 3]; 64],
}

// SAFETY: arrays of bytes, 128 + 64 + 16 + 2 without padding.
unsafe impl Plain for File {}
// SAFETY: arrays of bytes, 2 + 16 without padding.
unsafe impl Plain for Scaling {}
// SAFETY: arrays of bytes, 32 + 256 + 3072 without padding.
unsafe impl Plain for Group {}
const _: () = assert!(size_of::<File>() == 210 && size_of::<Group>() == 16 * 210);

/// A block of zeros: its scale is zero.
#[cfg(target_arch = "aarch64")]
const ZERO: File = File {
    lower: [[0; 64]; 2],
    upper: [[0; 32]; 2],
    scales: [0; 16],
    d: [0; 2],
};

impl Group {
    /// Quantum k less 32.
    #[inline(always)]
    fn quantum(&self, lane: usize, k: usize) -> i32 {
        let thirds = self.quanta[k / 4 % 64].map(|third| third[lane % 4][k % 4]);
        let byte = match lane / 4 % 4 {
            quad @ 0..3 => thirds[quad] & !3,
            _ => (thirds[0] & 3) << 2 | (thirds[1] & 3) << 4 | thirds[2] << 6,
        };
        i32::from(byte.cast_signed() >> 2)
    }
}

impl Codec for Q6K {
    type File = File;
    type Layout = Self;
    const FINITE: &'static [Finite] = &[Finite::F16(208)];

    fn decode(file: &File, _part: usize, row: &mut Row256<Scaling>) -> Option<()> {
        row.scaling = Scaling {
            d: finite_f16(file.d)?,
            scales: file.scales,
        };
        let (halves, _) = row.quanta.as_chunks_mut::<128>();
        for (out, (lower, upper)) in halves.iter_mut().zip(file.lower.iter().zip(&file.upper)) {
            let (quarters, _) = out.as_chunks_mut::<32>();
            for (quarter, out) in quarters.iter_mut().enumerate() {
                let lower = &lower.as_chunks::<32>().0[quarter % 2];
                for (out, (lower, upper)) in out.iter_mut().zip(lower.iter().zip(upper)) {
                    let low = lower >> (quarter / 2 * 4) & 15;
                    *out = (low | (upper >> (2 * quarter) & 3) << 4).cast_signed() - 32;
                }
            }
        }
        Some(())
    }

    #[cfg(target_arch = "aarch64")]
    fn interleave(rows: &[Option<&File>; GROUP_ROWS], groups: &mut [Group]) -> Result<(), usize> {
        let rows = rows.map(|row| row.unwrap_or(&ZERO));
        for group in groups {
            group.d = Scales::gather(rows.map(|row| &row.d))?;
            // SAFETY: Advanced SIMD is part of the target.
            unsafe { pack::interleave_rows(&rows, group) };
        }
        Ok(())
    }
}

impl Layout for Q6K {
    const BLOCK: usize = 256;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per256;
    type Group = Group;
    type Activation = WideBlock;
    type Row = Row256<Scaling>;

    fn put(group: &mut Group, lane: usize, row: &Self::Row) {
        group.d.set(lane, row.scaling.d);
        for (scales, scale) in group.scales.iter_mut().zip(row.scaling.scales) {
            scales[lane % GROUP_ROWS] = scale;
        }
        let (fours, _) = row.quanta.as_chunks::<4>();
        for (thirds, four) in group.quanta.iter_mut().zip(fours) {
            for (third, rows) in thirds.iter_mut().enumerate() {
                for (byte, quantum) in rows[lane % 4].iter_mut().zip(four) {
                    *byte |= match lane / 4 % 4 {
                        3 => quantum.cast_unsigned() >> (2 * third) & 3,
                        quad if quad == third => (quantum << 2).cast_unsigned(),
                        _ => 0,
                    };
                }
            }
        }
    }

    fn value(group: &Group, lane: usize, k: usize) -> f32 {
        let scale = f32::from(group.scales[k / 16 % 16][lane % GROUP_ROWS]);
        group.d.row(lane) * scale * group.quantum(lane, k) as f32
    }

    #[inline(always)]
    fn accumulate(group: &Group, activation: &WideBlock, sums: &mut [f32; GROUP_ROWS]) {
        let da = f32::from_le_bytes(activation.scale[0]);
        for (lane, sum) in sums.iter_mut().enumerate() {
            let mut dot = 0i32;
            for (part, scales) in group.scales.iter().enumerate() {
                let part_dot: i32 = (16 * part..16 * part + 16)
                    .map(|k| group.quantum(lane, k) * activation.value(k))
                    .sum();
                dot += i32::from(scales[lane]) * part_dot;
            }
            *sum = fma(dot as f32, group.d.row(lane) * da, *sum);
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
