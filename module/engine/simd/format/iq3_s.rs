// SPDX-License-Identifier: GPL-2.0
//! IQ3_S: blocks of 256 weights in 8 parts of 32, eight entries of a code book of 512 and their signs
//! each; weight = (d * scale) * quantum, with odd 5-bit scales.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ3_S;
use crate::simd::iq::{odd, signed, two_fours};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ3S;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// By four weights: the lower bits of the index.
    indices: [[u8; 2]; 32],
    /// By part: the upper bits of eight indices, the first lowest.
    upper: [u8; 8],
    /// By eight weights.
    signs: [u8; 32],
    /// By part: 4 bits of the scale, the first of two parts below.
    scales: [u8; 4],
}

// SAFETY: arrays of bytes, 2 + 64 + 8 + 32 + 4 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 110);

impl Codec for IQ3S {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<8>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = const { signed([1, 3, 5, 7, 9, 11, 13, 15]) };
        row.scaling.d = finite(file.d)?.to_le_bytes();
        for (n, scale) in row.scaling.scales.iter_mut().enumerate() {
            *scale = odd(file.scales[n / 2 % 4] >> (n % 2 * 4));
        }
        let entries = file.indices.iter().zip(file.signs).enumerate();
        for (out, (n, (indices, signs))) in
            row.quanta.as_chunks_mut::<8>().0.iter_mut().zip(entries)
        {
            let upper = file.upper[n / 4 % 8] >> (n % 4 * 2);
            let entry = |i: usize| {
                let index = usize::from(indices[i % 2]) | usize::from(upper >> i & 1) << 8;
                IQ3_S[index % 512]
            };
            two_fours([entry(0), entry(1)], signs, out);
        }
        Some(())
    }
}
