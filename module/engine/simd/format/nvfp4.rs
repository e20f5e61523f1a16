// SPDX-License-Identifier: GPL-2.0
//! NVFP4: blocks of 64 floats of 4 bits (E2M1) in 4 parts of 16, each with a float of 8 bits (E4M3)
//! as its scale; a weight is the product.
//!
//! The products have at most 6 significant bits and magnitudes from 2^-10 to 2688: all of them are
//! binary16 numbers, as which memory has them.

use super::mxfp4::QUANTA;
use crate::math::half::f32_to_f16;
use crate::simd::codec::{Codec, RowOf};
use crate::simd::finite::Finite;
use crate::simd::plain::Plain;

/// The format.
pub(super) struct NVFP4;

/// A block of one row in the file.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct File {
    scales: [u8; 4],
    /// By part; byte i: code i below, code i + 8 above.
    codes: [[u8; 8]; 4],
}

// SAFETY: arrays of bytes, 4 + 32 without padding.
unsafe impl Plain for File {}
const _: () = assert!(size_of::<File>() == 36);

/// Half the scale, for quanta that are twice the floats. The sign bit is not used, and the NaN means
/// zero.
fn scale(bits: u8) -> f32 {
    let (exponent, mantissa) = (bits >> 3 & 15, bits & 7);
    let power = |exponent: u8| f32::from_bits(u32::from(exponent) << 23);
    match (bits & 127, exponent) {
        (127, _) => 0.0,
        // 2^-6 for the exponent, 2^-3 for the mantissa, 2^-1.
        (_, 0) => f32::from(mantissa) * power(127 - 10),
        _ => f32::from(8 + mantissa) * power(127 - 11 + exponent),
    }
}

impl Codec for NVFP4 {
    const PARTS: usize = 64;
    type File = File;
    type Layout = super::f16::F16;
    const FINITE: &'static [Finite] = &[];

    fn decode(file: &File, part: usize, row: &mut RowOf<Self>) -> Option<()> {
        let (n, k) = (part / 16 % 4, part % 16);
        let code = file.codes[n][k % 8] >> (k / 8 * 4) & 15;
        let weight = scale(file.scales[n]) * f32::from(QUANTA[usize::from(code) % 16]);
        *row = f32_to_f16(weight).to_le_bytes();
        Some(())
    }
}
