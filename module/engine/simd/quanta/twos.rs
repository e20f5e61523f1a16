// SPDX-License-Identifier: GPL-2.0
//! Quanta of 2 bits, four rows in a byte.
//!
//! From the top down these are rows A, B, C and D: A less 2 as a two's complement number, the
//! others unsigned. So the byte itself is 64 A + 16 B + 4 C + D, and masks leave the lower rows.

use super::Quanta;
#[cfg(target_arch = "aarch64")]
use super::Unpacked;
use crate::simd::plain::Plain;

/// As [half of the weights][four of the weights][place p]: rows p, 4 + p, 8 + p and 12 + p.
pub(crate) type Fours = [FoursOf16; 2];
/// The same of 16 weights.
pub(crate) type FoursOf16 = [[[u8; 4]; 4]; 4];

/// Quanta from 0 to 3.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Twos(Fours);

// SAFETY: an array of bytes.
unsafe impl Plain for Twos {}

/// Bits below the row in `lane`.
#[inline(always)]
fn shift(lane: usize) -> usize {
    6 - lane / 4 % 4 * 2
}

/// What stands for 0 in the row in `lane`.
#[inline(always)]
fn zero(lane: usize) -> u8 {
    if lane % 16 < 4 { 2 } else { 0 }
}

impl Quanta for Twos {
    type Book = [u8; 0];

    fn put(&mut self, lane: usize, quanta: &[i8; 32]) {
        for (j, four) in quanta.as_chunks::<4>().0.iter().enumerate() {
            let bytes = &mut self.0[j / 4][j % 4][lane % 4];
            let codes = four.map(|quantum| quantum.cast_unsigned() ^ zero(lane));
            let word = u32::from_le_bytes(*bytes) | u32::from_le_bytes(codes) << shift(lane);
            *bytes = word.to_le_bytes();
        }
    }

    #[inline(always)]
    fn get(&self, _book: &[u8; 0], lane: usize, k: usize) -> i32 {
        let byte = self.0[k / 16 % 2][k / 4 % 4][lane % 4][k % 4];
        i32::from(byte >> shift(lane) & 3 ^ zero(lane))
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn stored<'a>(&'a self, _book: &'a [u8; 0]) -> super::Stored<'a> {
        super::Stored::Twos
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn unpack(&self, _book: &[u8; 0], half: usize) -> Unpacked {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::unpack(&self.0, half) }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn lack(_sum_128: core::arch::aarch64::int32x4_t) -> [core::arch::aarch64::int32x4_t; 2] {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { [core::arch::aarch64::vdupq_n_s32(0); 2] }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use super::{Fours, Unpacked};
    use crate::simd::neon::load;
    use core::arch::aarch64::*;

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn unpack(fours: &Fours, half: usize) -> Unpacked {
        let (top, three) = (vdupq_n_u8(0x80), vdupq_n_u8(3));
        let bytes = |j: usize| vreinterpretq_u8_s8(load(&fours[j / 4 % 2][j % 4]));
        let signed = |pair: [uint8x16_t; 2]| pair.map(|quanta| vreinterpretq_s8_u8(quanta));
        if half == 0 {
            core::array::from_fn(|j| {
                let upper = vshrq_n_u8::<6>(veorq_u8(bytes(j), top));
                signed([upper, vandq_u8(vshrq_n_u8::<4>(bytes(j)), three)])
            })
        } else {
            core::array::from_fn(|j| {
                let upper = vandq_u8(vshrq_n_u8::<2>(bytes(j)), three);
                signed([upper, vandq_u8(bytes(j), three)])
            })
        }
    }
}
