// SPDX-License-Identifier: GPL-2.0
//! Quantization of a block of 256 in vectors.

use super::{INT8_BLOCK, WIDE_BLOCK, WideBlock, scale_and_inverse};
use crate::simd::activation::int8::neon::round;
use core::arch::aarch64::*;

/// Makes the same block as the scalar twin [`super::quantize`].
#[inline]
#[target_feature(enable = "neon")]
pub(in crate::simd) fn quantize(x: &[f32; WIDE_BLOCK], block: &mut WideBlock) -> Option<()> {
    let (scale, inverse) = scale_and_inverse(largest(x))?;
    *block = WideBlock::zero(scale);
    let (parts, _) = x.as_chunks::<INT8_BLOCK>();
    for (part, x) in parts.iter().enumerate() {
        let (halves, _) = x.as_chunks::<16>();
        let mut sums = [0; 2];
        let values = block.parts[part % 8].values.iter_mut();
        for (sum, (x, values)) in sums.iter_mut().zip(halves.iter().zip(values)) {
            let rounded = round(x, inverse);
            *sum = i32::from(vaddlvq_s8(rounded));
            // SAFETY: `values` has the 16 bytes that are written.
            unsafe { vst1q_s8(values.as_mut_ptr(), rounded) };
        }
        block.set_sums(part, sums);
    }
    Some(())
}

/// The largest magnitude's bits.
#[inline]
#[target_feature(enable = "neon")]
fn largest(x: &[f32; WIDE_BLOCK]) -> u32 {
    let (sixteens, _) = x.as_chunks::<16>();
    let mut largest = [vdupq_n_u32(0); 4];
    for sixteen in sixteens {
        let (fours, _) = sixteen.as_chunks::<4>();
        for (largest, four) in largest.iter_mut().zip(fours) {
            // SAFETY: `four` has the 16 bytes that are read.
            let four = unsafe { vld1q_f32(four.as_ptr()) };
            *largest = vmaxq_u32(*largest, vreinterpretq_u32_f32(vabsq_f32(four)));
        }
    }
    let [a, b, c, d] = largest;
    vmaxvq_u32(vmaxq_u32(vmaxq_u32(a, b), vmaxq_u32(c, d)))
}
