// SPDX-License-Identifier: GPL-2.0
//! Q2_K: blocks of 256 weights of 2 bits in 16 parts of 16; weight = (d * scale) * quantum - dmin *
//! minimum, with 4-bit scales and minima.

use crate::simd::blocks256::{Blocks256, Minima};
use crate::simd::codec::{Codec, RowOf, finite};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::twos::Twos;

/// The format.
pub(super) struct Q2K;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    /// By part: the scale below, the minimum above.
    scales: [u8; 16],
    /// By 128 weights: byte i has weights i, i + 32, i + 64 and i + 96, the first lowest.
    quanta: [[u8; 32]; 2],
    d: [u8; 2],
    dmin: [u8; 2],
}

// SAFETY: arrays of bytes, 16 + 64 + 2 + 2 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 84);

impl Codec for Q2K {
    type File = File;
    type Layout = Blocks256<Twos, Minima<16>>;
    const FINITE: &'static [Finite] = &[Finite::F16(80), Finite::F16(82)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling.steps.d = finite(file.d)?.to_le_bytes();
        row.scaling.dmin = finite(file.dmin)?.to_le_bytes();
        row.scaling.steps.scales = file.scales.map(|byte| (byte & 15).cast_signed());
        row.scaling.minima = file.scales.map(|byte| (byte >> 4).cast_signed());
        let (halves, _) = row.quanta.as_chunks_mut::<128>();
        for (out, bytes) in halves.iter_mut().zip(&file.quanta) {
            for (quarter, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
                *out = bytes.map(|byte| (byte >> (2 * quarter) & 3).cast_signed());
            }
        }
        Some(())
    }
}
