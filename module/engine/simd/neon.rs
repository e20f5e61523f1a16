// SPDX-License-Identifier: GPL-2.0
//! Vector loads, stores and conversions over arrays.

use super::activation::Int8Block;
use super::plain::Plain;
use core::arch::aarch64::*;

/// Eight f32.
pub(super) type Eight = [float32x4_t; 2];

/// 16 bytes of any shape.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load<T: Plain>(bytes: &T) -> int8x16_t {
    const { assert!(size_of::<T>() == 16) };
    // SAFETY: `T` has the 16 bytes that are read; a load needs no alignment.
    unsafe { vld1q_s8(core::ptr::from_ref(bytes).cast()) }
}

/// Four f32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_f32(bytes: &[[u8; 4]; 4]) -> float32x4_t {
    vreinterpretq_f32_s8(load(bytes))
}

/// Four i32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_i32(bytes: &[[u8; 4]; 4]) -> int32x4_t {
    vreinterpretq_s32_s8(load(bytes))
}

/// An i32, four times.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_four_times(bytes: &[u8; 4]) -> int32x4_t {
    // SAFETY: reads the four bytes; a load needs no alignment.
    unsafe { vld1q_dup_s32(bytes.as_ptr().cast()) }
}

/// Two i32, each four times.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_two_four_times(bytes: &[[u8; 4]; 2]) -> [int32x4_t; 2] {
    // SAFETY: reads the eight bytes; a load needs no alignment.
    let int32x4x2_t(first, second) = unsafe { vld2q_dup_s32(bytes.as_ptr().cast()) };
    [first, second]
}

/// Eight binary16, widened.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_f16(bytes: &[[u8; 2]; 8]) -> Eight {
    let halves = vreinterpretq_f16_s8(load(bytes));
    [
        vcvt_f32_f16(vget_low_f16(halves)),
        vcvt_high_f32_f16(halves),
    ]
}

/// The offset of a block, twice.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_offsets(block: &Int8Block) -> [int32x4_t; 2] {
    let [first, second] = &block.offset;
    [load_i32(first), load_i32(second)]
}

/// Half of 16 integers, widened.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn widen(bytes: int8x16_t, half: usize) -> [int32x4_t; 2] {
    let words = if half == 0 {
        vmovl_s8(vget_low_s8(bytes))
    } else {
        vmovl_high_s8(bytes)
    };
    [vmovl_s16(vget_low_s16(words)), vmovl_high_s16(words)]
}

/// 16 integers that are not negative, widened.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn widen_unsigned(bytes: int8x16_t) -> [[int32x4_t; 2]; 2] {
    // Byte n in the lowest of a lane, and zeros: they have indices past the end.
    let select = |n: u32| {
        let lanes = [n, n + 1, n + 2, n + 3].map(|byte| (byte | 0xffff_ff00).to_le_bytes());
        vreinterpretq_s32_s8(vqtbl1q_s8(bytes, vreinterpretq_u8_s8(load(&lanes))))
    };
    [[select(0), select(4)], [select(8), select(12)]]
}

/// Stores four f32.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store(out: &mut [f32; 4], value: float32x4_t) {
    // SAFETY: the array has the 16 bytes that are written.
    unsafe { vst1q_f32(out.as_mut_ptr(), value) }
}

/// `sums` + `terms` * (`scales` * the first of `scale`).
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_scaled(sums: Eight, terms: Eight, scales: Eight, scale: float32x4_t) -> Eight {
    [0, 1].map(|i| vfmaq_f32(sums[i], terms[i], vmulq_laneq_f32::<0>(scales[i], scale)))
}

/// The fours of bytes of a half of `a` and of `b`, in turn.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn zip_fours(a: int8x16_t, b: int8x16_t, half: usize) -> int8x16_t {
    let [a, b] = [a, b].map(|bytes| vreinterpretq_s32_s8(bytes));
    vreinterpretq_s8_s32(if half == 0 {
        vzip1q_s32(a, b)
    } else {
        vzip2q_s32(a, b)
    })
}

/// Each four of 32 values in all quarters of a vector.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn broadcast(values: &[[i8; 16]; 2]) -> [int8x16_t; 8] {
    let [a0, a1] = values
        .each_ref()
        .map(|values| vreinterpretq_s32_s8(load(values)));
    [
        vdupq_laneq_s32::<0>(a0),
        vdupq_laneq_s32::<1>(a0),
        vdupq_laneq_s32::<2>(a0),
        vdupq_laneq_s32::<3>(a0),
        vdupq_laneq_s32::<0>(a1),
        vdupq_laneq_s32::<1>(a1),
        vdupq_laneq_s32::<2>(a1),
        vdupq_laneq_s32::<3>(a1),
    ]
    .map(|chunk| vreinterpretq_s8_s32(chunk))
}

/// Bytes 4j to 4j + 3 of each of four rows, for j = 0 to 3.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn transpose(rows: [int8x16_t; 4]) -> [uint8x16_t; 4] {
    let [a, b, c, d] = rows.map(|row| vreinterpretq_u32_s8(row));
    let (ac, bd) = (
        [vzip1q_u32(a, c), vzip2q_u32(a, c)],
        [vzip1q_u32(b, d), vzip2q_u32(b, d)],
    );
    [
        vzip1q_u32(ac[0], bd[0]),
        vzip2q_u32(ac[0], bd[0]),
        vzip1q_u32(ac[1], bd[1]),
        vzip2q_u32(ac[1], bd[1]),
    ]
    .map(|chunk| vreinterpretq_u8_u32(chunk))
}
