// SPDX-License-Identifier: GPL-2.0
//! Q1_0: blocks of 128 weights of -1 or 1 with a binary16 scale.
//!
//! Memory has them as blocks of Q4_0 with the same scale.

use super::q4_0::Q4_0;
use crate::simd::codec::{Codec, RowOf, finite_f16};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;

/// The format.
pub(super) struct Q1_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    /// Bit k is set where weight k is 1.
    bits: [[u8; 4]; 4],
}

// SAFETY: arrays of bytes, 2 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 18);

impl Codec for Q1_0 {
    const PARTS: usize = 4;
    type File = File;
    type Layout = Q4_0;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        let bits = u32::from_le_bytes(file.bits[part % 4]);
        for (k, quantum) in row.quanta.iter_mut().enumerate() {
            *quantum = 2 * (bits >> k & 1) as i8 - 1;
        }
        Some(())
    }
}
