// SPDX-License-Identifier: GPL-2.0
//! IQ4_NL: blocks of 32 codes of 4 bits with a binary16 scale; weight = scale * quantum, the quanta
//! being nearer to each other around zero.

use crate::simd::blocks32::Blocks32;
use crate::simd::codec::{Codec, RowOf, finite_f16, nibbles};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Book, Codes};
use crate::simd::scales::Scales;

/// The format.
pub(super) struct IQ4NL;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    /// Byte i: code i below, code i + 16 above.
    codes: [u8; 16],
}

// SAFETY: arrays of bytes, 2 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 18);

/// The quanta of the 16 codes of IQ4_NL and IQ4_XS.
pub(super) const QUANTA: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// [`QUANTA`] as a book.
#[derive(Clone, Copy)]
pub(super) struct Uneven;

impl Book for Uneven {
    type Kept = [u8; 0];

    #[inline(always)]
    fn quanta(_kept: &[u8; 0]) -> &[i8; 16] {
        &QUANTA
    }
}

impl Codec for IQ4NL {
    type File = File;
    type Layout = Blocks32<Codes<Uneven>, Scales>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        nibbles(&file.codes, &mut row.quanta);
        Some(())
    }
}
