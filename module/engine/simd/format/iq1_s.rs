// SPDX-License-Identifier: GPL-2.0
//! IQ1_S: blocks of 256 weights in 8 parts of 32, four entries of a code book of 2048 and a shift
//! each; weight = (d / 8 * scale) * quantum, the quanta being 8 times -1, 0 or 1, plus or minus 1,
//! with odd 4-bit scales.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ1_S;
use crate::simd::iq::{eight, odd};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ1S;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// By eight weights: the lower bits of the index.
    indices: [[u8; 4]; 8],
    /// By part: the upper 3 bits of four indices, 3 bits of the scale, and whether 1 is taken away.
    parts: [[u8; 2]; 8],
}

// SAFETY: arrays of bytes, 2 + 32 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 50);

/// The quanta of the codes of IQ1_S and IQ1_M.
pub(super) const SHIFTED: [i8; 16] = [-7, 1, 9, 0, 0, 0, 0, 0, -9, -1, 7, 0, 0, 0, 0, 0];

impl Codec for IQ1S {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<8>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = SHIFTED;
        row.scaling.d = (finite(file.d)? / 8.0).to_le_bytes();
        let parts = file.parts.map(u16::from_le_bytes);
        row.scaling.scales = parts.map(|part| odd((part >> 12 & 7) as u8));
        let (eights, _) = row.quanta.as_chunks_mut::<8>();
        for (out, (indices, part)) in eights
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .zip(file.indices.iter().zip(parts))
        {
            let less = if part >> 15 == 0 { 0 } else { 0xff };
            for (l, (out, index)) in out.iter_mut().zip(indices).enumerate() {
                let index = usize::from(*index) | usize::from(part >> (3 * l) & 7) << 8;
                eight(IQ1_S[index % 2048], less, out);
            }
        }
        Some(())
    }
}
