// SPDX-License-Identifier: GPL-2.0
//! IQ2_S: blocks of 256 weights in 16 parts of 16, two entries of a code book of 1024 and their signs
//! each; weight = (d / 8 * scale) * quantum, with odd 5-bit scales.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ2_S;
use crate::simd::iq::{eight, odd, signed};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ2S;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// By eight weights: the lower bits of the index.
    indices: [u8; 32],
    /// By eight weights.
    signs: [u8; 32],
    /// By 32 weights: the upper 2 bits of four indices, the first lowest.
    upper: [u8; 8],
    /// By part: 4 bits of the scale, the first of two parts below.
    scales: [u8; 8],
}

// SAFETY: arrays of bytes, 2 + 32 + 32 + 8 + 8 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 82);

impl Codec for IQ2S {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<16>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = const { signed([8, 25, 43, 0, 0, 0, 0, 0]) };
        row.scaling.d = (finite(file.d)? / 8.0).to_le_bytes();
        for (n, scale) in row.scaling.scales.iter_mut().enumerate() {
            *scale = odd(file.scales[n / 2 % 8] >> (n % 2 * 4));
        }
        let entries = file.indices.iter().zip(file.signs).enumerate();
        for (out, (n, (index, signs))) in row.quanta.as_chunks_mut::<8>().0.iter_mut().zip(entries)
        {
            let upper = file.upper[n / 4 % 8] >> (n % 4 * 2) & 3;
            let index = usize::from(*index) | usize::from(upper) << 8;
            eight(IQ2_S[index % 1024], signs, out);
        }
        Some(())
    }
}
