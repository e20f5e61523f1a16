// SPDX-License-Identifier: GPL-2.0
//! IQ3_XXS: blocks of 256 weights in 8 parts of 32, eight entries of a code book of 256 and their
//! signs each; weight = (d / 4 * scale) * quantum, with odd 5-bit scales.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ3_XXS;
use crate::simd::iq::{even_signs, odd, signed, two_fours};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ3XXS;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// By four weights.
    indices: [[u8; 2]; 32],
    /// By part: four times 7 signs, and 4 bits of the scale on top.
    signs: [[u8; 4]; 8],
}

// SAFETY: arrays of bytes, 2 + 64 + 32 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 98);

impl Codec for IQ3XXS {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<8>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = const { signed([4, 12, 20, 28, 36, 44, 52, 62]) };
        row.scaling.d = (finite(file.d)? / 4.0).to_le_bytes();
        let signs = file.signs.map(u32::from_le_bytes);
        row.scaling.scales = signs.map(|signs| odd((signs >> 28) as u8));
        let indices = file.indices.iter().enumerate();
        for (out, (n, indices)) in row.quanta.as_chunks_mut::<8>().0.iter_mut().zip(indices) {
            let signs = even_signs((signs[n / 4 % 8] >> (n % 4 * 7) & 127) as u8);
            let entries = indices.map(|index| IQ3_XXS[usize::from(index)]);
            two_fours(entries, signs, out);
        }
        Some(())
    }
}
