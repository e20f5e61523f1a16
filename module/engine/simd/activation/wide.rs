// SPDX-License-Identifier: GPL-2.0
//! Blocks of 256 activations for K-quants: one scale, sums by 32.

use super::int8::INT8_BLOCK;
use super::quantize::{largest, round, scale_and_inverse};
use crate::simd::plain::Plain;

#[cfg(target_arch = "aarch64")]
pub mod neon;

/// Weights and activations of a block of K-quants.
pub const WIDE_BLOCK: usize = 256;

/// 32 of the 256 values.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WidePart {
    /// Values, -127 to 127.
    pub values: [[i8; 16]; 2],
    /// The i32 128 * sum of the values four times, then four zeros: where dot products with nibble
    /// pairs start.
    pub start: [[[u8; 4]; 4]; 2],
}

/// 256 activations as integers: x is about scale * value.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WideBlock {
    /// The values by 32.
    pub parts: [WidePart; 8],
    /// The sum of each part's values with its sign changed, in two bytes: 128 * upper + lower, the
    /// lower one from 0 to 127. The upper bytes come first.
    pub sums: [[i8; 8]; 2],
    /// The f32 scale, then zeros.
    pub scale: [[u8; 4]; 4],
    /// Zeros: where other dot products start.
    pub zeros: [[[u8; 4]; 4]; 2],
    /// The sums of each 16 values in the same way.
    pub halves: [[i8; 16]; 2],
    /// The i32 128 * sum of each 16 values.
    pub starts: [[u8; 4]; 16],
}

// SAFETY: arrays of bytes, 32 + 32 without padding.
unsafe impl Plain for WidePart {}
// SAFETY: arrays of bytes, 8 * 64 + 16 + 16 + 32 + 32 + 64 without padding.
unsafe impl Plain for WideBlock {}
const _: () = assert!(size_of::<WideBlock>() == 672);

impl WidePart {
    const ZERO: WidePart = WidePart {
        values: [[0; 16]; 2],
        start: [[[0; 4]; 4]; 2],
    };
}

impl WideBlock {
    /// A block of zeros.
    pub const ZERO: WideBlock = WideBlock {
        parts: [WidePart::ZERO; 8],
        sums: [[0; 8]; 2],
        scale: [[0; 4]; 4],
        zeros: [[[0; 4]; 4]; 2],
        halves: [[0; 16]; 2],
        starts: [[0; 4]; 16],
    };

    /// A block of zeros with a scale.
    #[inline(always)]
    fn zero(scale: f32) -> WideBlock {
        let mut block = WideBlock::ZERO;
        block.scale[0] = scale.to_le_bytes();
        block
    }

    /// The value at `k`, taken modulo 256.
    #[inline(always)]
    pub fn value(&self, k: usize) -> i32 {
        i32::from(self.parts[k / 32 % 8].values[k / 16 % 2][k % 16])
    }

    /// The sum of a part's values, the part taken modulo 8.
    #[inline(always)]
    pub fn sum(&self, part: usize) -> i32 {
        let [upper, lower] = self.sums.map(|bytes| i32::from(bytes[part % 8]));
        -(128 * upper + lower)
    }

    /// The sum of the 16 values from 16 * `half` on, taken modulo 16.
    #[inline(always)]
    pub fn half_sum(&self, half: usize) -> i32 {
        i32::from_le_bytes(self.starts[half % 16]) >> 7
    }

    /// Keeps the sums of both halves of a part's values: at most 16 * 127 each, so that the upper
    /// byte of all is from -32 to 31.
    #[inline(always)]
    fn set_sums(&mut self, part: usize, halves: [i32; 2]) {
        // CAST: From -32 to 31.
        #[expect(clippy::cast_possible_truncation)]
        let split = |sum: i32| {
            let negative = sum.wrapping_neg();
            [(negative >> 7) as i8, (negative & 127) as i8]
        };
        for (i, sum) in halves.into_iter().enumerate() {
            let half = 2 * part + i;
            [self.halves[0][half % 16], self.halves[1][half % 16]] = split(sum);
            self.starts[half % 16] = sum.wrapping_mul(128).to_le_bytes();
        }
        let sum = halves[0].wrapping_add(halves[1]);
        [self.sums[0][part % 8], self.sums[1][part % 8]] = split(sum);
        self.parts[part % 8].start[0] = [sum.wrapping_mul(128).to_le_bytes(); 4];
    }
}

/// Makes one block, in place, by the rules of `super::quantize` over 256 activations.
pub fn quantize(x: &[f32; WIDE_BLOCK], block: &mut WideBlock) -> Option<()> {
    let (scale, inverse) = scale_and_inverse(largest(x))?;
    *block = WideBlock::zero(scale);
    let (parts, _) = x.as_chunks::<INT8_BLOCK>();
    for (part, x) in parts.iter().enumerate() {
        let (values, _) = round(x, inverse);
        block.parts[part % 8].values = values;
        block.set_sums(
            part,
            values.map(|half| half.into_iter().map(i32::from).sum()),
        );
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::{ActivationKind, pack};
    use super::*;
    use crate::simd::level::Level;
    use crate::simd::testing::{Guarded, Random};

    fn one(x: &[f32; 256]) -> Option<WideBlock> {
        let mut block = WideBlock::zero(-1.0);
        quantize(x, &mut block)?;
        Some(block)
    }

    #[test]
    fn one_scale_for_all() {
        let mut x: [f32; 256] = core::array::from_fn(|k| (k % 16) as f32);
        x[200] = -127.0;
        let block = one(&x).unwrap();
        assert_eq!(f32::from_le_bytes(block.scale[0]), 1.0);
        assert_eq!((block.value(199), block.value(200)), (7, -127));
        assert_eq!((block.sum(5), block.sum(6)), (240, 240 - 8 - 127));
        assert_eq!(
            i32::from_le_bytes(block.parts[6].start[0][3]),
            128 * (240 - 8 - 127)
        );
        x[3] = f32::NAN;
        assert!(one(&x).is_none());
    }

    #[test]
    fn sums_have_room() {
        for sign in [1.0, -1.0] {
            let block = one(&[sign; 256]).unwrap();
            assert_eq!(block.sum(7), 32 * 127 * sign as i32);
            assert_eq!(block.half_sum(15), 16 * 127 * sign as i32);
        }
    }

    #[test]
    fn every_level_equals_the_twin() {
        let mut random = Random(7);
        for round in 0..1000 {
            let scale = [1.0, 1e-18, 1e-20, 1e18, 1e-38][round % 5];
            let mut x: [f32; 512] = core::array::from_fn(|_| random.float() * scale);
            match random.below(8) {
                0 => x[random.below(512)] = f32::from_bits(random.next() as u32),
                1 => x = [0.0; 512],
                // Halfway between two integers, at 127 quanta of 1.
                2 => {
                    x = core::array::from_fn(|k| {
                        if k % 256 == 0 {
                            -127.0
                        } else {
                            k as f32 % 127.0 - 60.5
                        }
                    })
                }
                _ => {}
            }
            let kind = ActivationKind::Int8Per256;
            let mut twin = Guarded::zeroed(2 * size_of::<WideBlock>());
            let x = Guarded::copy(&x);
            let result = pack(Level::SCALAR, kind, 512, &x, &mut twin);
            for level in Level::all() {
                let mut out = Guarded::zeroed(2 * size_of::<WideBlock>());
                assert_eq!(pack(level, kind, 512, &x, &mut out), result);
                assert!(result.is_err() || *out == *twin, "{level:?} {:?}", &*x);
            }
        }
    }
}
