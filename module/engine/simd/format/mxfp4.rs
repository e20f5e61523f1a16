// SPDX-License-Identifier: GPL-2.0
//! MXFP4: blocks of 32 floats of 4 bits (E2M1) with a power of two as their scale; weight = 2^(e -
//! 128) * quantum, the quanta being twice the floats.

use crate::simd::blocks32::{Blocks32, FloatScales};
use crate::simd::codec::{Codec, RowOf, nibbles};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Book, Codes};

/// The format.
pub(super) struct MXFP4;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// The exponent plus 127 of the scale of the floats, which is twice that of the quanta.
    exponent: u8,
    /// Byte i: code i below, code i + 16 above.
    codes: [u8; 16],
}

// SAFETY: arrays of bytes, 1 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 17);

/// Twice the floats: sign, two bits of exponent, one of mantissa.
pub(super) const QUANTA: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// [`QUANTA`] as a book.
#[derive(Clone, Copy)]
pub(super) struct Doubled;

impl Book for Doubled {
    type Kept = [u8; 0];

    #[inline(always)]
    fn quanta(_kept: &[u8; 0]) -> &[i8; 16] {
        &QUANTA
    }
}

impl Codec for MXFP4 {
    type File = File;
    type Layout = Blocks32<Codes<Doubled>, FloatScales>;
    const FINITE: &'static [Finite] = &[Finite::E8m0(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        let bits = match file.exponent {
            // Subnormal numbers.
            0 => 1 << 21,
            1 => 1 << 22,
            // With a quantum of 12 they are not finite, or it is the NaN.
            253.. => return None,
            exponent => (u32::from(exponent) - 1) << 23,
        };
        row.scaling = bits.to_le_bytes();
        nibbles(&file.codes, &mut row.quanta);
        Some(())
    }
}
