// SPDX-License-Identifier: GPL-2.0
//! Quanta of 5 bits, two rows in a byte and a quarter.
//!
//! A byte holds row A above, 5 bits less 16 as a two's complement number, and the lower 3 bits of
//! row B. The upper 2 bits of row B lie in a plane, those of four weights in a byte.

use super::Quanta;
#[cfg(target_arch = "aarch64")]
use super::Unpacked;
use super::nibbles::Pairs;
use crate::simd::plain::Plain;

/// Quanta from `LEAST` to `LEAST` + 31; `LEAST` is 0 or -16.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Fives<const LEAST: i8> {
    pairs: Pairs,
    rest: Rest,
}

/// The upper bits of the rows B, as [half of the rows][half of the weights][pair]; bits 2j and 2j +
/// 1 of byte i belong to weight 4j + i.
pub(crate) type Rest = [[[[u8; 4]; 4]; 2]; 2];

// SAFETY: arrays of bytes, 256 + 64 without padding.
unsafe impl<const LEAST: i8> Plain for Fives<LEAST> {}

impl<const LEAST: i8> Quanta for Fives<LEAST> {
    type Book = [u8; 0];

    fn put(&mut self, lane: usize, quanta: &[i8; 32]) {
        let half = lane / 8 % 2;
        for (j, four) in quanta.as_chunks::<4>().0.iter().enumerate() {
            let codes = four.map(|quantum| quantum.wrapping_sub(LEAST).cast_unsigned());
            let codes = u32::from_le_bytes(codes);
            let or = |bytes: &mut [u8; 4], bits: u32| {
                *bytes = (u32::from_le_bytes(*bytes) | bits).to_le_bytes();
            };
            let pair = &mut self.pairs[j / 4][half][j % 4][lane % 4];
            if lane % 8 < 4 {
                or(pair, (codes ^ 0x1010_1010) << 3);
            } else {
                or(pair, codes & 0x0707_0707);
                let rest = &mut self.rest[half][j / 4][lane % 4];
                or(rest, (codes >> 3 & 0x0303_0303) << (2 * (j % 4)));
            }
        }
    }

    #[inline(always)]
    fn get(&self, _book: &[u8; 0], lane: usize, k: usize) -> i32 {
        let half = lane / 8 % 2;
        let byte = self.pairs[k / 16 % 2][half][k / 4 % 4][lane % 4][k % 4];
        let rest = self.rest[half][k / 16 % 2][lane % 4][k % 4] >> (k / 4 % 4 * 2) & 3;
        let code = if lane % 8 < 4 {
            byte >> 3 ^ 16
        } else {
            byte & 7 | rest << 3
        };
        i32::from(code) + i32::from(LEAST)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn stored<'a>(&'a self, _book: &'a [u8; 0]) -> super::Stored<'a> {
        super::Stored::Fives(&self.pairs, &self.rest)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn unpack(&self, _book: &[u8; 0], half: usize) -> Unpacked {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::unpack(self, half) }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn lack(sum_128: core::arch::aarch64::int32x4_t) -> [core::arch::aarch64::int32x4_t; 2] {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::lack::<LEAST>(sum_128) }
    }
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use super::{Fives, Unpacked};
    use crate::simd::neon::load;
    use core::arch::aarch64::*;

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn unpack<const LEAST: i8>(fives: &Fives<LEAST>, half: usize) -> Unpacked {
        let rest = fives.rest[half % 2].each_ref().map(|rest| load(rest));
        let three = vdupq_n_u8(3);
        core::array::from_fn(|j| {
            let bytes = load(&fives.pairs[j / 4 % 2][half % 2][j % 4]);
            let rest = vreinterpretq_u8_s8(rest[j / 4 % 2]);
            let rest = match j % 4 {
                0 => vandq_u8(rest, three),
                1 => vandq_u8(vshrq_n_u8::<2>(rest), three),
                2 => vandq_u8(vshrq_n_u8::<4>(rest), three),
                _ => vshrq_n_u8::<6>(rest),
            };
            let lower = vsliq_n_s8::<3>(bytes, vreinterpretq_s8_u8(rest));
            [vshrq_n_s8::<3>(bytes), lower]
        })
    }

    /// The upper rows come out less 16, and all of them less `LEAST`.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn lack<const LEAST: i8>(sum_128: int32x4_t) -> [int32x4_t; 2] {
        const { assert!(LEAST == 0 || LEAST == -16) };
        let sixteen = vshrq_n_s32::<3>(sum_128);
        let zero = vdupq_n_s32(0);
        if LEAST == 0 {
            [sixteen, zero]
        } else {
            [zero, vnegq_s32(sixteen)]
        }
    }
}
