// SPDX-License-Identifier: GPL-2.0
//! IQ2_XXS: blocks of 256 weights in 8 parts of 32, four entries of a code book of 256 and their
//! signs each; weight = (d / 8 * scale) * quantum, with odd 5-bit scales.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ2_XXS;
use crate::simd::iq::{eight, even_signs, odd, signed};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ2XXS;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// By part: four indices; then four times 7 signs, and 4 bits of the scale on top.
    parts: [[[u8; 4]; 2]; 8],
}

// SAFETY: arrays of bytes, 2 + 8 * 8 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 66);

impl Codec for IQ2XXS {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<8>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = const { signed([8, 25, 43, 0, 0, 0, 0, 0]) };
        row.scaling.d = (finite(file.d)? / 8.0).to_le_bytes();
        let (eights, _) = row.quanta.as_chunks_mut::<8>();
        for (n, (out, [indices, signs])) in eights
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(&file.parts)
            .enumerate()
        {
            let signs = u32::from_le_bytes(*signs);
            row.scaling.scales[n % 8] = odd((signs >> 28) as u8);
            for (l, (out, index)) in out.iter_mut().zip(indices).enumerate() {
                let signs = even_signs((signs >> (7 * l) & 127) as u8);
                eight(IQ2_XXS[usize::from(*index)], signs, out);
            }
        }
        Some(())
    }
}
