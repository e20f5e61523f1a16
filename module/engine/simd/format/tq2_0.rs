// SPDX-License-Identifier: GPL-2.0
//! TQ2_0: blocks of 256 weights of -1, 0, 1 or 2, four in a byte, with a binary16 scale.
//!
//! Memory has them as blocks of Q4_0 with the same scale.

use super::q4_0::Q4_0;
use crate::simd::codec::{Codec, RowOf, finite_f16};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;

/// The format.
pub(super) struct TQ2_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// By 128 weights: byte i has weights i, i + 32, i + 64 and i + 96, the first lowest.
    quanta: [[u8; 32]; 2],
    scale: [u8; 2],
}

// SAFETY: arrays of bytes, 64 + 2 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 66);

impl Codec for TQ2_0 {
    const PARTS: usize = 8;
    type File = File;
    type Layout = Q4_0;
    const FINITE: &'static [Finite] = &[Finite::F16(64)];

    fn decode(file: &File, part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        row.quanta =
            file.quanta[part / 4 % 2].map(|byte| (byte >> (part % 4 * 2) & 3).cast_signed() - 1);
        Some(())
    }
}
