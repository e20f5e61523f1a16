// SPDX-License-Identifier: GPL-2.0
//! Q5_0: blocks of 32 weights of 5 bits; weight = scale * (quantum - 16).

use crate::simd::blocks32::Blocks32;
use crate::simd::codec::{Codec, RowOf, fifth_bits, finite_f16, nibbles};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;
use crate::simd::quanta::fives::Fives;
use crate::simd::scales::Scales;

/// The format.
pub(super) struct Q5_0;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scale: [u8; 2],
    /// Bit k is bit 4 of weight k.
    high: [u8; 4],
    /// Byte i: weight i below, weight i + 16 above.
    quanta: [u8; 16],
}

// SAFETY: arrays of bytes, 2 + 4 + 16 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 22);

impl Codec for Q5_0 {
    type File = File;
    type Layout = Blocks32<Fives<-16>, Scales>;
    const FINITE: &'static [Finite] = &[Finite::F16(0)];

    fn decode(file: &File, _part: usize, row: &mut RowOf<Self>) -> Option<()> {
        row.scaling = finite_f16(file.scale)?;
        nibbles(&file.quanta, &mut row.quanta);
        fifth_bits(u32::from_le_bytes(file.high), &mut row.quanta);
        row.quanta = row.quanta.map(|quantum| quantum - 16);
        Some(())
    }
}
