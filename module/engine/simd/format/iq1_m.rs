// SPDX-License-Identifier: GPL-2.0
//! IQ1_M: blocks of 256 weights in 16 parts of 16, two entries of the code book of IQ1_S, with a shift
//! for each; weight = (d / 8 * scale) * quantum, as in IQ1_S.

use super::iq1_s::SHIFTED;
use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::grids::IQ1_S;
use crate::simd::iq::{eight, odd};
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ1M;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// By eight weights: the lower bits of the index.
    indices: [u8; 32],
    /// By 16 weights: two times the upper 3 bits of an index, and whether 1 is taken away.
    upper: [u8; 16],
    /// By 64 weights: four times 3 bits of a scale, and 4 bits of d on top, the lowest first.
    scales: [[u8; 2]; 4],
}

// SAFETY: arrays of bytes, 32 + 16 + 8 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 56);

impl Codec for IQ1M {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<16>>;
    const FINITE: &'static [Finite] = &[Finite::Nibbles(48)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = SHIFTED;
        let words = file.scales.map(u16::from_le_bytes);
        let [a, b, c, d] = words.map(|word| word >> 12);
        let d = (a | b << 4 | c << 8 | d << 12).to_le_bytes();
        row.scaling.d = (finite(d)? / 8.0).to_le_bytes();
        for (n, scale) in row.scaling.scales.iter_mut().enumerate() {
            *scale = odd((words[n / 4 % 4] >> (n % 4 * 3) & 7) as u8);
        }
        let indices = file.indices.iter().enumerate();
        for (out, (n, index)) in row.quanta.as_chunks_mut::<8>().0.iter_mut().zip(indices) {
            let upper = file.upper[n / 2 % 16] >> (n % 2 * 4);
            let index = usize::from(*index) | usize::from(upper & 7) << 8;
            let less = if upper & 8 == 0 { 0 } else { 0xff };
            eight(IQ1_S[index % 2048], less, out);
        }
        Some(())
    }
}
