// SPDX-License-Identifier: GPL-2.0
//! TQ1_0: blocks of 256 weights of -1, 0 or 1, five in a byte, with a binary16 scale.
//!
//! Memory has them as blocks of Q4_0 with the same scale.

use super::q4_0::Q4_0;
use crate::simd::codec::{Codec, RowOf, finite_f16};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;

/// The format.
pub(super) struct TQ1_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// Five times 32 weights.
    first: [u8; 32],
    /// Five times 16 weights.
    second: [u8; 16],
    /// Four times four weights.
    third: [u8; 4],
    scale: [u8; 2],
}

// SAFETY: arrays of bytes, 32 + 16 + 4 + 2 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 54);

/// Digit `n` of the fraction of base 3 that a byte is, less 1.
fn trit(byte: u8, n: usize) -> i8 {
    let power = [1, 3, 9, 27, 81][n % 5];
    ((u16::from(byte.wrapping_mul(power)) * 3) >> 8) as i8 - 1
}

impl Codec for TQ1_0 {
    const PARTS: usize = 8;
    type File = File;
    type Layout = Q4_0;
    const FINITE: &'static [Finite] = &[Finite::F16(52)];

    fn decode(file: &File, part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        for (i, quantum) in row.quanta.iter_mut().enumerate() {
            let k = 32 * part + i;
            *quantum = match k {
                0..160 => trit(file.first[k % 32], k / 32),
                160..240 => trit(file.second[k % 16], (k - 160) / 16),
                _ => trit(file.third[k % 4], k % 16 / 4),
            };
        }
        Some(())
    }
}
