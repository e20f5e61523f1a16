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
    // Four lanes for each half of a part.
    let mut sums = [vdupq_n_s16(0); 8];
    for ((sum, x), part) in sums.iter_mut().zip(parts).zip(&mut block.parts) {
        let (halves, _) = x.as_chunks::<16>();
        let mut pairs = [vdupq_n_s16(0); 2];
        for ((pairs, x), values) in pairs.iter_mut().zip(halves).zip(&mut part.values) {
            let rounded = round(x, inverse);
            *pairs = vpaddlq_s8(rounded);
            // SAFETY: `values` has the 16 bytes that are written.
            unsafe { vst1q_s8(values.as_mut_ptr(), rounded) };
        }
        let [first, second] = pairs;
        *sum = vpaddq_s16(first, second);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let first = vpaddq_s16(vpaddq_s16(a, b), vpaddq_s16(c, d));
    let second = vpaddq_s16(vpaddq_s16(e, f), vpaddq_s16(g, h));
    set_sums(block, first, second);
    Some(())
}

/// Keeps the sums of each 16 values, those of the first half of the block and of the second.
#[inline]
#[target_feature(enable = "neon")]
fn set_sums(block: &mut WideBlock, first: int16x8_t, second: int16x8_t) {
    let ((upper, lower), (upper_2, lower_2)) = (split(first), split(second));
    // Of each 32 values.
    let sums = vpaddq_s16(first, second);
    let (upper_32, lower_32) = split(sums);
    let [uppers, lowers] = &mut block.halves;
    // SAFETY: Each of the three arrays has the 16 bytes that are written.
    unsafe {
        vst1q_s8(uppers.as_mut_ptr(), vcombine_s8(upper, upper_2));
        vst1q_s8(lowers.as_mut_ptr(), vcombine_s8(lower, lower_2));
        let sums = block.sums.as_flattened_mut();
        vst1q_s8(sums.as_mut_ptr(), vcombine_s8(upper_32, lower_32));
    }
    let (fours, _) = block.starts.as_flattened_mut().as_chunks_mut::<16>();
    let [a, b] = times_128(first);
    let [c, d] = times_128(second);
    for (four, sums) in fours.iter_mut().zip([a, b, c, d]) {
        // SAFETY: `four` has the 16 bytes that are written.
        unsafe { vst1q_u8(four.as_mut_ptr(), vreinterpretq_u8_s32(sums)) };
    }
    let [low, high] = times_128(sums);
    let starts = [
        vdupq_laneq_s32::<0>(low),
        vdupq_laneq_s32::<1>(low),
        vdupq_laneq_s32::<2>(low),
        vdupq_laneq_s32::<3>(low),
        vdupq_laneq_s32::<0>(high),
        vdupq_laneq_s32::<1>(high),
        vdupq_laneq_s32::<2>(high),
        vdupq_laneq_s32::<3>(high),
    ];
    for (part, start) in block.parts.iter_mut().zip(starts) {
        let [four, _] = &mut part.start;
        let bytes = four.as_flattened_mut();
        // SAFETY: `bytes` has the 16 bytes that are written.
        unsafe { vst1q_u8(bytes.as_mut_ptr(), vreinterpretq_u8_s32(start)) };
    }
}

/// Each sum with its sign changed, in two bytes as in [`WideBlock::sums`]: upper ones, lower ones.
#[inline]
#[target_feature(enable = "neon")]
fn split(sums: int16x8_t) -> (int8x8_t, int8x8_t) {
    let negative = vnegq_s16(sums);
    let lower = vandq_s16(negative, vdupq_n_s16(127));
    (vshrn_n_s16::<7>(negative), vmovn_s16(lower))
}

/// 128 times each sum.
#[inline]
#[target_feature(enable = "neon")]
fn times_128(sums: int16x8_t) -> [int32x4_t; 2] {
    [
        vshll_n_s16::<7>(vget_low_s16(sums)),
        vshll_n_s16::<7>(vget_high_s16(sums)),
    ]
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
