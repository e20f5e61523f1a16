// SPDX-License-Identifier: GPL-2.0
//! Q3_K: blocks of 256 weights of 3 bits in 16 parts of 16; weight = (d * scale) * (quantum - 4),
//! with 6-bit scales less 32.

use crate::simd::blocks256::{Blocks256, Steps};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::nibbles::Nibbles;

/// The format.
pub(super) struct Q3K;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// Bit n of byte i is bit 2 of weight 32n + i.
    upper: [u8; 32],
    /// By 128 weights: byte i has the lower bits of weights i, i + 32, i + 64 and i + 96.
    lower: [[u8; 32]; 2],
    /// Byte j: the lower 4 bits of scale j below, of scale j + 8 above.
    scales: [u8; 8],
    /// Byte j: the upper 2 bits of scales j, j + 4, j + 8 and j + 12.
    upper_scales: [u8; 4],
    d: [u8; 2],
}

// SAFETY: arrays of bytes, 32 + 64 + 8 + 4 + 2 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 110);

impl Codec for Q3K {
    type File = File;
    type Layout = Blocks256<Nibbles<-8>, Steps<16>>;
    const FINITE: &'static [Finite] = &[Finite::F16(108)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling.d = finite(file.d)?.to_le_bytes();
        for (j, scale) in row.scaling.scales.iter_mut().enumerate() {
            let lower = file.scales[j % 8] >> (j / 8 % 2 * 4) & 15;
            let upper = file.upper_scales[j % 4] >> (j / 4 % 4 * 2) & 3;
            *scale = (lower | upper << 4).cast_signed() - 32;
        }
        for (n, out) in row.quanta.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let lower = &file.lower[n / 4 % 2];
            for (out, (lower, upper)) in out.iter_mut().zip(lower.iter().zip(&file.upper)) {
                let lower = lower >> (n % 4 * 2) & 3;
                *out = (lower | (upper >> (n % 8) & 1) << 2).cast_signed() - 4;
            }
        }
        Some(())
    }
}
