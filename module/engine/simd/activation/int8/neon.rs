// SPDX-License-Identifier: GPL-2.0
//! Quantization of a block in vectors.

use super::{INT8_BLOCK, Int8Block, scale_and_inverse};
use core::arch::aarch64::*;

/// The same block as the scalar twin [`super::quantize`].
#[inline]
#[target_feature(enable = "neon")]
pub(in crate::simd) fn quantize(x: &[f32; INT8_BLOCK]) -> Option<Int8Block> {
    let (quarters, _) = x.as_chunks::<16>();
    let (scale, inverse) = scale_and_inverse(largest(x))?;
    let mut values = [[0; 16]; 2];
    let mut sum = vdupq_n_s16(0);
    for (x, values) in quarters.iter().zip(&mut values) {
        let rounded = round(x, inverse);
        sum = vpadalq_s8(sum, rounded);
        // SAFETY: `values` has the 16 bytes that are written.
        unsafe { vst1q_s8(values.as_mut_ptr(), rounded) };
    }
    Some(Int8Block::new(values, vaddlvq_s16(sum), scale))
}

/// The largest magnitude's bits.
#[inline]
#[target_feature(enable = "neon")]
fn largest(x: &[f32; INT8_BLOCK]) -> u32 {
    let (fours, _) = x.as_chunks::<4>();
    let mut largest = vdupq_n_u32(0);
    for four in fours {
        // SAFETY: `four` has the 16 bytes that are read.
        let four = unsafe { vld1q_f32(four.as_ptr()) };
        largest = vmaxq_u32(largest, vreinterpretq_u32_f32(vabsq_f32(four)));
    }
    vmaxvq_u32(largest)
}

/// The nearest integers, ties to even, to 16 activations times `inverse`: at most 127.
#[inline]
#[target_feature(enable = "neon")]
pub(in crate::simd) fn round(x: &[f32; 16], inverse: f32) -> int8x16_t {
    // SAFETY: `x` has the 64 bytes that are read.
    let float32x4x4_t(a, b, c, d) = unsafe {
        let x = x.as_ptr();
        float32x4x4_t(
            vld1q_f32(x),
            vld1q_f32(x.add(4)),
            vld1q_f32(x.add(8)),
            vld1q_f32(x.add(12)),
        )
    };
    let [a, b, c, d] = [a, b, c, d].map(|x| {
        let rounded = vcvtnq_s32_f32(vmulq_n_f32(x, inverse));
        vreinterpretq_s16_s32(rounded)
    });
    let (low, high) = (vuzp1q_s16(a, b), vuzp1q_s16(c, d));
    vuzp1q_s8(vreinterpretq_s8_s16(low), vreinterpretq_s8_s16(high))
}
