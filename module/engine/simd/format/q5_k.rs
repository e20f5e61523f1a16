// SPDX-License-Identifier: GPL-2.0
//! Q5_K: blocks of 256 weights of 5 bits in 8 parts of 32; weight = (d * scale) * quantum - dmin *
//! minimum, with 6-bit scales and minima.

use crate::simd::blocks256::{Blocks256, Minima};
use crate::simd::codec::{Codec, RowOf, finite, nibbles};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::fives::Fives;

/// The format.
pub(super) struct Q5K;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    d: [u8; 2],
    dmin: [u8; 2],
    /// Scales 0 to 3, minima 0 to 3 in the lower 6 bits; then the lower 4 bits of scale and minimum
    /// of parts 4 to 7, whose upper 2 bits are on top of the others.
    scales: [[u8; 4]; 3],
    /// Bit n of byte i is bit 4 of weight 32n + i.
    upper: [u8; 32],
    /// Byte i of part pair n: weight i of part 2n below, weight i of part 2n + 1 above.
    lower: [[u8; 32]; 4],
}

// SAFETY: arrays of bytes, 2 + 2 + 12 + 32 + 128 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 176);

impl Codec for Q5K {
    type File = File;
    type Layout = Blocks256<Fives<0>, Minima<8>>;
    const FINITE: &'static [Finite] = &[Finite::F16(0), Finite::F16(2)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling.steps.d = finite(file.d)?.to_le_bytes();
        row.scaling.dmin = finite(file.dmin)?.to_le_bytes();
        let [first, second, rest] = file.scales;
        for j in 0..4 {
            let (scales, minima) = (&mut row.scaling.steps.scales, &mut row.scaling.minima);
            (scales[j], minima[j]) = (
                (first[j] & 63).cast_signed(),
                (second[j] & 63).cast_signed(),
            );
            scales[j + 4] = (rest[j] & 15 | first[j] >> 6 << 4).cast_signed();
            minima[j + 4] = (rest[j] >> 4 | second[j] >> 6 << 4).cast_signed();
        }
        let (pairs, _) = row.quanta.as_chunks_mut::<64>();
        for (n, (out, bytes)) in pairs.iter_mut().zip(&file.lower).enumerate() {
            nibbles(bytes, out);
            for (k, quantum) in out.iter_mut().enumerate() {
                let upper = file.upper[k % 32] >> (2 * n + k / 32) & 1;
                *quantum |= (upper << 4).cast_signed();
            }
        }
        Some(())
    }
}
