// SPDX-License-Identifier: GPL-2.0
//! Quanta of 4 bits, two rows in a byte.
//!
//! Row A is above, less 8 as a two's complement number, and row B below, unsigned. So an
//! arithmetic shift unpacks A, a mask B, and the byte itself is 16 A + B.

use super::Quanta;
#[cfg(target_arch = "aarch64")]
use super::Unpacked;
use crate::simd::plain::Plain;

/// As [half of the weights][half of the rows][four of the weights][pair p]: row 8 * half + p above,
/// row 8 * half + 4 + p below.
pub(crate) type Pairs = [PairsOf16; 2];
/// The same of 16 weights.
pub(crate) type PairsOf16 = [[[[u8; 4]; 4]; 4]; 2];

/// Quanta from `LEAST` to `LEAST` + 15; `LEAST` is 0 or -8.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Nibbles<const LEAST: i8>(pub Pairs);

// SAFETY: an array of bytes.
unsafe impl<const LEAST: i8> Plain for Nibbles<LEAST> {}

impl<const LEAST: i8> Quanta for Nibbles<LEAST> {
    type Book = [u8; 0];

    fn put(&mut self, lane: usize, quanta: &[i8; 32]) {
        for (j, four) in quanta.as_chunks::<4>().0.iter().enumerate() {
            let pair = &mut self.0[j / 4][lane / 8 % 2][j % 4][lane % 4];
            let codes = four.map(|quantum| quantum.wrapping_sub(LEAST).cast_unsigned());
            put_codes(
                pair,
                lane,
                codes.map(|code| code ^ if lane % 8 < 4 { 8 } else { 0 }),
            );
        }
    }

    #[inline(always)]
    fn get(&self, _book: &[u8; 0], lane: usize, k: usize) -> i32 {
        let code = code(&self.0, lane, k) ^ if lane % 8 < 4 { 8 } else { 0 };
        i32::from(code) + i32::from(LEAST)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn stored<'a>(&'a self, _book: &'a [u8; 0]) -> super::Stored<'a> {
        super::Stored::Nibbles(&self.0)
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn unpack(&self, _book: &[u8; 0], half: usize) -> Unpacked {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::unpack(&self.0, half) }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn lack(sum_128: core::arch::aarch64::int32x4_t) -> [core::arch::aarch64::int32x4_t; 2] {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::lack::<LEAST>(sum_128) }
    }
}

/// Puts four codes of 4 bits into the nibbles of the row in `lane`.
pub(crate) fn put_codes(pair: &mut [u8; 4], lane: usize, codes: [u8; 4]) {
    let shift = if lane % 8 < 4 { 4 } else { 0 };
    let word = u32::from_le_bytes(*pair) | u32::from_le_bytes(codes) << shift;
    *pair = word.to_le_bytes();
}

/// The code of 4 bits of the row in `lane`.
#[inline(always)]
pub(crate) fn code(pairs: &Pairs, lane: usize, k: usize) -> u8 {
    let byte = pairs[k / 16 % 2][lane / 8 % 2][k / 4 % 4][lane % 4][k % 4];
    byte >> if lane % 8 < 4 { 4 } else { 0 } & 15
}

#[cfg(target_arch = "aarch64")]
mod neon {
    use super::{Pairs, Unpacked};
    use crate::simd::neon::load;
    use core::arch::aarch64::*;

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn unpack(pairs: &Pairs, half: usize) -> Unpacked {
        core::array::from_fn(|j| {
            let bytes = load(&pairs[j / 4 % 2][half % 2][j % 4]);
            [vshrq_n_s8::<4>(bytes), vandq_s8(bytes, vdupq_n_s8(15))]
        })
    }

    /// The upper rows come out less 8, and all of them less `LEAST`.
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn lack<const LEAST: i8>(sum_128: int32x4_t) -> [int32x4_t; 2] {
        const { assert!(LEAST == 0 || LEAST == -8) };
        let eight = vshrq_n_s32::<4>(sum_128);
        let zero = vdupq_n_s32(0);
        if LEAST == 0 {
            [eight, zero]
        } else {
            [zero, vnegq_s32(eight)]
        }
    }
}
