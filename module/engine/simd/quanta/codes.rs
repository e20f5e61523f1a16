// SPDX-License-Identifier: GPL-2.0
//! Codes of 4 bits, two rows in a byte, that stand for 8-bit quanta.

use super::Quanta;
#[cfg(target_arch = "aarch64")]
use super::Unpacked;
use super::nibbles::{Pairs, code, put_codes};
use crate::simd::plain::Plain;
use core::marker::PhantomData;

/// Where the quanta of the 16 codes are.
pub(crate) trait Book: Copy {
    /// What a group keeps of them.
    type Kept: Plain;
    /// The quanta.
    fn quanta(kept: &Self::Kept) -> &[i8; 16];
}

/// Quanta that each group keeps, so that formats share the loops.
#[derive(Clone, Copy)]
pub(crate) struct Kept;

impl Book for Kept {
    type Kept = [i8; 16];

    #[inline(always)]
    fn quanta(kept: &[i8; 16]) -> &[i8; 16] {
        kept
    }
}

/// Codes of the quanta in `B`.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Codes<B>(Pairs, PhantomData<B>);

// SAFETY: an array of bytes, and a type of no bytes.
unsafe impl<B: Book> Plain for Codes<B> {}

impl<B: Book> Quanta for Codes<B> {
    type Book = B::Kept;

    fn put(&mut self, lane: usize, quanta: &[i8; 32]) {
        for (j, four) in quanta.as_chunks::<4>().0.iter().enumerate() {
            let pair = &mut self.0[j / 4][lane / 8 % 2][j % 4][lane % 4];
            put_codes(pair, lane, four.map(i8::cast_unsigned));
        }
    }

    #[inline(always)]
    fn get(&self, book: &B::Kept, lane: usize, k: usize) -> i32 {
        i32::from(B::quanta(book)[usize::from(code(&self.0, lane, k) % 16)])
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn stored<'a>(&'a self, book: &'a B::Kept) -> super::Stored<'a> {
        super::Stored::Codes(B::quanta(book))
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn unpack(&self, book: &B::Kept, half: usize) -> Unpacked {
        // SAFETY: Advanced SIMD is part of the target.
        unsafe { neon::unpack(&self.0, B::quanta(book), half) }
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
    use super::{Pairs, Unpacked};
    use crate::simd::neon::load;
    use core::arch::aarch64::*;

    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) fn unpack(pairs: &Pairs, quanta: &[i8; 16], half: usize) -> Unpacked {
        let quanta = load(quanta);
        core::array::from_fn(|j| {
            let bytes = vreinterpretq_u8_s8(load(&pairs[j / 4 % 2][half % 2][j % 4]));
            let codes = [vshrq_n_u8::<4>(bytes), vandq_u8(bytes, vdupq_n_u8(15))];
            codes.map(|codes| vqtbl1q_s8(quanta, codes))
        })
    }
}
