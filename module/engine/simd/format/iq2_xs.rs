// SPDX-License-Identifier: GPL-2.0
//! IQ2_XS: blocks of 256 weights in 16 parts of 16, two entries of a code book of 512 and their signs
//! each; weight = (d / 8 * scale) * quantum, with odd 5-bit scales.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ2_XS;
use crate::simd::iq::{eight, even_signs, odd, signed};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ2XS;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// By eight weights: an index of 9 bits, 7 signs above.
    entries: [[u8; 2]; 32],
    /// By part: 4 bits of the scale, the first of two parts below.
    scales: [u8; 8],
}

// SAFETY: arrays of bytes, 2 + 64 + 8 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 74);

impl Codec for IQ2XS {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<16>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = const { signed([8, 25, 43, 0, 0, 0, 0, 0]) };
        row.scaling.d = (finite(file.d)? / 8.0).to_le_bytes();
        for (n, scale) in row.scaling.scales.iter_mut().enumerate() {
            *scale = odd(file.scales[n / 2 % 8] >> (n % 2 * 4));
        }
        for (out, entry) in row
            .quanta
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .zip(file.entries)
        {
            let entry = u16::from_le_bytes(entry);
            eight(
                IQ2_XS[usize::from(entry) % 512],
                even_signs((entry >> 9) as u8),
                out,
            );
        }
        Some(())
    }
}
