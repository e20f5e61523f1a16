// SPDX-License-Identifier: GPL-2.0
//! Q2_0: blocks of 64 weights of -1, 0, 1 or 2 with a binary16 scale.
//!
//! Memory has them as blocks of Q4_0 with the same scale.

use super::q4_0::Q4_0;
use crate::simd::codec::{Codec, RowOf, finite_f16};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;

/// The format.
pub(super) struct Q2_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    /// Four weights in a byte, the first lowest.
    quanta: [[u8; 8]; 2],
}

// SAFETY: arrays of bytes, 2 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 18);

impl Codec for Q2_0 {
    const PARTS: usize = 2;
    type File = File;
    type Layout = Q4_0;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        for (k, quantum) in row.quanta.iter_mut().enumerate() {
            *quantum = (file.quanta[part % 2][k / 4 % 8] >> (k % 4 * 2) & 3).cast_signed() - 1;
        }
        Some(())
    }
}
