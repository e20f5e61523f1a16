// SPDX-License-Identifier: GPL-2.0
//! Blocks of 32 activations: one scale, one sum.

use super::quantize::{largest, round, scale_and_inverse};
use crate::simd::plain::Plain;

#[cfg(target_arch = "aarch64")]
pub mod neon;

/// Weights and activations of an 8-bit block.
pub const INT8_BLOCK: usize = 32;

/// 32 activations as integers: x is about scale * value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Int8Block {
    /// Values, -127 to 127.
    pub values: [[i8; 16]; 2],
    /// The i32 -8 * sum of the values, eight times: what taking 8 from each weight adds.
    pub offset: [[[u8; 4]; 4]; 2],
    /// The f32 scale, the f32 scale * sum of the values, the i32 128 * sum, zero.
    pub scale: [[u8; 4]; 4],
}

// SAFETY: arrays of bytes, 32 + 32 + 16 without padding.
unsafe impl Plain for Int8Block {}
const _: () = assert!(size_of::<Int8Block>() == 80);

impl Int8Block {
    /// A block of `values` with their `sum`.
    #[inline(always)]
    fn new(values: [[i8; 16]; 2], sum: i32, scale: f32) -> Self {
        Int8Block {
            values,
            offset: [[sum.wrapping_mul(-8).to_le_bytes(); 4]; 2],
            scale: [
                scale.to_le_bytes(),
                (scale * sum as f32).to_le_bytes(),
                sum.wrapping_mul(128).to_le_bytes(),
                [0; 4],
            ],
        }
    }

    /// The scale, and the scale times the sum of the values.
    #[inline(always)]
    pub fn scale_and_product(&self) -> [f32; 2] {
        [self.scale[0], self.scale[1]].map(f32::from_le_bytes)
    }
}

/// One block: values nearest to x * inverse, ties to even; see `scale_and_inverse`.
#[inline(always)]
pub fn quantize(x: &[f32; INT8_BLOCK]) -> Option<Int8Block> {
    let (scale, inverse) = scale_and_inverse(largest(x))?;
    let (values, sum) = round(x, inverse);
    Some(Int8Block::new(values, sum, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(x: [f32; 32]) -> Option<Int8Block> {
        quantize(&x)
    }

    #[test]
    fn a_block_by_the_contract() {
        let mut x = [0.0; 32];
        (x[0], x[1], x[2], x[31]) = (127.0, 0.5, 1.5, -126.5);
        let block = one(x).unwrap();
        assert_eq!(f32::from_le_bytes(block.scale[0]), 1.0);
        assert_eq!(block.values[0][..4], [127, 0, 2, 0]);
        assert_eq!(block.values[1][15], -126);
        assert_eq!(block.offset, [[(-24i32).to_le_bytes(); 4]; 2]);
    }

    #[test]
    fn the_ends_of_the_range() {
        let tiny = one([2f32.powi(-60).next_down(); 32]).unwrap();
        assert_eq!(
            (f32::from_le_bytes(tiny.scale[0]), tiny.values),
            (0.0, [[0; 16]; 2])
        );
        let least = one([-(2f32.powi(-60)); 32]).unwrap();
        assert_eq!(least.values, [[-127; 16]; 2]);
        assert_eq!(f32::from_le_bytes(least.scale[0]), 2f32.powi(-60) / 127.0);
        assert!(one([2f32.powi(60).next_down(); 32]).is_some());
        for bad in [2f32.powi(60), f32::INFINITY, f32::NAN, -f32::NAN] {
            let mut x = [1.0; 32];
            x[17] = bad;
            assert!(one(x).is_none());
        }
    }
}
