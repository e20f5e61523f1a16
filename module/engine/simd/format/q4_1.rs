// SPDX-License-Identifier: GPL-2.0
//! Q4_1: blocks of 32 weights of 4 bits; weight = scale * quantum + minimum.

use crate::simd::blocks32::{Blocks32, ScalesAndMinima};
use crate::simd::codec::{Codec, RowOf, finite_f16, nibbles};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::nibbles::Nibbles;

/// The format.
pub(super) struct Q4_1;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    minimum: [u8; 2],
    /// Byte i: weight i below, weight i + 16 above.
    quanta: [u8; 16],
}

// SAFETY: arrays of bytes, 2 + 2 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 20);

impl Codec for Q4_1 {
    type File = File;
    type Layout = Blocks32<Nibbles<0>, ScalesAndMinima>;
    const FINITE: &'static [Finite] = &[Finite::F16(0), Finite::F16(2)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = [finite_f16(file.scale)?, finite_f16(file.minimum)?];
        nibbles(&file.quanta, &mut row.quanta);
        Some(())
    }
}
