// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 activations for K-quants: one scale, sums by 16.

use super::{INT8_BLOCK, largest, round, scale_and_inverse};
use crate::simd::plain::Plain;

/// Weights and activations of a block of K-quants.
pub const WIDE_BLOCK: usize = 256;

/// 32 of the 256 values.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WidePart {
    /// Values, -127 to 127.
    pub values: [[i8; 16]; 2],
    /// The i32 128 * sum of the values, eight times.
    pub offset: [[[u8; 4]; 4]; 2],
}

/// 256 activations as integers: x is about scale * value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WideBlock {
    /// The values by 32.
    pub parts: [WidePart; 8],
    /// The i16 sum of each 16 values.
    pub sums: [[u8; 2]; 16],
    /// The f32 scale, then zeros.
    pub scale: [[u8; 4]; 4],
}

// SAFETY: arrays of bytes, 32 + 32 without padding.
unsafe impl Plain for WidePart {}
// SAFETY: arrays of bytes, 8 * 64 + 32 + 16 without padding.
unsafe impl Plain for WideBlock {}
const _: () = assert!(size_of::<WideBlock>() == 560);

impl WideBlock {
    /// The value at `k`, taken modulo 256.
    #[inline(always)]
    pub fn value(&self, k: usize) -> i32 {
        i32::from(self.parts[k / 32 % 8].values[k / 16 % 2][k % 16])
    }

    /// The sum of the 16 values from 16 * `index` on, the index taken modulo 16.
    #[inline(always)]
    pub fn sum(&self, index: usize) -> i32 {
        i32::from(i16::from_le_bytes(self.sums[index % 16]))
    }
}

/// One block, by the rules of [`super::quantize`] over 256 activations.
pub fn quantize(x: &[f32; WIDE_BLOCK]) -> Option<WideBlock> {
    let (scale, inverse) = scale_and_inverse(largest(x))?;
    let part = WidePart {
        values: [[0; 16]; 2],
        offset: [[[0; 4]; 4]; 2],
    };
    let mut block = WideBlock {
        parts: [part; 8],
        sums: [[0; 2]; 16],
        scale: [scale.to_le_bytes(), [0; 4], [0; 4], [0; 4]],
    };
    let (parts, _) = x.as_chunks::<INT8_BLOCK>();
    let (sums, _) = block.sums.as_chunks_mut::<2>();
    for ((part, sums), x) in block.parts.iter_mut().zip(sums).zip(parts) {
        let (values, sum) = round(x, inverse);
        part.values = values;
        part.offset = [[sum.wrapping_mul(128).to_le_bytes(); 4]; 2];
        for (sum, values) in sums.iter_mut().zip(values) {
            let total = values
                .iter()
                .fold(0i16, |sum, value| sum.wrapping_add(i16::from(*value)));
            *sum = total.to_le_bytes();
        }
    }
    Some(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_scale_for_all() {
        let mut x: [f32; 256] = core::array::from_fn(|k| (k % 16) as f32);
        x[200] = -127.0;
        let block = quantize(&x).unwrap();
        assert_eq!(f32::from_le_bytes(block.scale[0]), 1.0);
        assert_eq!((block.value(199), block.value(200)), (7, -127));
        assert_eq!((block.sum(11), block.sum(12)), (120, 120 - 8 - 127));
        assert_eq!(
            i32::from_le_bytes(block.parts[6].offset[1][3]),
            128 * (240 - 8 - 127)
        );
        x[3] = f32::NAN;
        assert!(quantize(&x).is_none());
    }
}
