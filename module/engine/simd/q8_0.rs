// SPDX-License-Identifier: GPL-2.0
//! Q8_0: blocks of 32 weights of 8 bits with a binary16 scale; weight = scale * quantum.

use super::activation::{ActivationKind, Int8Block};
use super::format::GROUP_ROWS;
use super::level::Instructions;
use super::packed_format::PackedFormat;
use super::plain::Plain;
use super::product::Product;
use crate::math::fma::fma;
use crate::math::half::f16_to_f32;

/// The format.
pub struct Q8_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct File {
    scale: [u8; 2],
    quanta: [[i8; 4]; 8],
}

/// A block of 16 rows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Group {
    /// Binary16 scales by row.
    pub(super) scales: [[u8; 2]; GROUP_ROWS],
    /// As [weights 4j to 4j + 3][row].
    pub(super) quanta: [[[i8; 4]; GROUP_ROWS]; 8],
}

// SAFETY: arrays of bytes, 2 + 32 without padding.
unsafe impl Plain for File {}
// SAFETY: arrays of bytes, 32 + 512 without padding.
unsafe impl Plain for Group {}
const _: () = assert!(size_of::<File>() == 34 && size_of::<Group>() == 544);

impl PackedFormat for Q8_0 {
    const BLOCK: usize = 32;
    const ACTIVATION: ActivationKind = ActivationKind::Int8Per32;
    type File = File;
    type Group = Group;
    type Activation = Int8Block;
    const ZERO: File = File {
        scale: [0; 2],
        quanta: [[0; 4]; 8],
    };

    fn interleave(rows: &[&File; GROUP_ROWS]) -> Result<Group, usize> {
        let mut group = Group {
            scales: [[0; 2]; GROUP_ROWS],
            quanta: [[[0; 4]; GROUP_ROWS]; 8],
        };
        for (lane, row) in rows.iter().enumerate() {
            if u16::from_le_bytes(row.scale) & 0x7c00 == 0x7c00 {
                return Err(lane);
            }
            group.scales[lane] = row.scale;
            for (packed, quanta) in group.quanta.iter_mut().zip(row.quanta) {
                packed[lane] = quanta;
            }
        }
        Ok(group)
    }

    fn value(group: &Group, lane: usize, k: usize) -> f32 {
        let (lane, k) = (lane % GROUP_ROWS, k % Self::BLOCK);
        let quantum = group.quanta[k / 4][lane][k % 4];
        f16_to_f32(u16::from_le_bytes(group.scales[lane])) * f32::from(quantum)
    }

    #[inline(always)]
    fn accumulate(group: &Group, activation: &Int8Block, sums: &mut [f32; GROUP_ROWS]) {
        let mut dots = [0i32; GROUP_ROWS];
        for (rows, a) in group
            .quanta
            .iter()
            .zip(activation.values.as_chunks::<4>().0)
        {
            for (dot, quanta) in dots.iter_mut().zip(rows) {
                for (quantum, a) in quanta.iter().zip(a) {
                    *dot += i32::from(*quantum) * i32::from(*a);
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
