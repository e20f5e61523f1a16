// SPDX-License-Identifier: GPL-2.0
//! IQ4_XS: blocks of 256 codes of 4 bits in 8 parts of 32; weight = (d * scale) * quantum, with the
//! quanta of IQ4_NL and 6-bit scales less 32.

use super::iq4_nl::QUANTA;
use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite, nibbles};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::codes::{Codes, Kept};

/// The format.
pub(super) struct IQ4XS;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    /// Bits 2n and 2n + 1 are the upper ones of scale n.
    upper_scales: [u8; 2],
    /// Byte j: the lower 4 bits of scale 2j below, of scale 2j + 1 above.
    scales: [u8; 4],
    /// By part; byte i: code i below, code i + 16 above.
    codes: [[u8; 16]; 8],
}

// SAFETY: arrays of bytes, 2 + 2 + 4 + 128 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 136);

impl Codec for IQ4XS {
    type File = File;
    type Layout = Blocks256<Codes<Kept>, Steps<8>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.book = QUANTA;
        row.scaling.d = finite(file.d)?.to_le_bytes();
        let upper = u16::from_le_bytes(file.upper_scales);
        for (n, scale) in row.scaling.scales.iter_mut().enumerate() {
            let lower = file.scales[n / 2 % 4] >> (n % 2 * 4) & 15;
            let upper = (upper >> (2 * n) & 3) as u8;
            *scale = (lower | upper << 4).cast_signed() - 32;
        }
        for (out, codes) in row
            .quanta
            .as_chunks_mut::<32>()
            .0
            .iter_mut()
            .zip(&file.codes)
        {
            nibbles(codes, out);
        }
        Some(())
    }
}
