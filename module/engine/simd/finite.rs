// SPDX-License-Identifier: GPL-2.0
//! Numbers in a block of the file that must be finite.

/// One of them, by the place of its first byte.
#[derive(Clone, Copy, Debug)]
pub enum Finite {
    /// IEEE binary16.
    F16(usize),
    /// IEEE binary32.
    F32(usize),
    /// The upper half of an IEEE binary32.
    Bf16(usize),
    /// A power of two in a byte, 2^(byte - 127); 255 is a NaN.
    E8m0(usize),
    /// IEEE binary16 in the upper nibbles of four words, the lowest first.
    Nibbles(usize),
}

impl Finite {
    /// Its last byte, which has the sign and the upper bits of the exponent.
    fn last(self) -> usize {
        match self {
            Finite::F16(at) | Finite::Bf16(at) => at.saturating_add(1),
            Finite::F32(at) => at.saturating_add(3),
            Finite::E8m0(at) => at,
            Finite::Nibbles(at) => at.saturating_add(7),
        }
    }

    /// Makes the number in a block of random bytes finite, its magnitude below 2.
    pub fn tame(self, block: &mut [u8]) {
        let Some(last) = block.get_mut(self.last()) else {
            return;
        };
        match self {
            Finite::F16(_) | Finite::Nibbles(_) => *last &= !0x40,
            Finite::F32(_) | Finite::Bf16(_) => *last = *last & 0x81 | 0x3e,
            Finite::E8m0(_) => *last = *last & 0x0f | 0x70,
        }
    }

    /// Makes the number a NaN.
    #[cfg(test)]
    pub fn spoil(self, block: &mut [u8]) {
        let last = self.last();
        block[last] = 0xff;
        match self {
            Finite::E8m0(_) => {}
            Finite::Nibbles(_) => block[last - 2] |= 0xf0,
            _ => block[last - 1] = 0xff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::half::f16_to_f32;
    use crate::simd::testing::Random;

    /// The number in the block, by its definition.
    fn number(finite: Finite, block: &[u8]) -> f32 {
        match finite {
            Finite::F16(at) => f16_to_f32(u16::from_le_bytes([block[at], block[at + 1]])),
            Finite::F32(at) => f32::from_le_bytes(block[at..at + 4].try_into().unwrap()),
            Finite::Bf16(at) => f32::from_le_bytes([0, 0, block[at], block[at + 1]]),
            Finite::E8m0(at) if block[at] == 255 => f32::NAN,
            Finite::E8m0(at) => f32::from_bits(u32::from(block[at]) << 23),
            Finite::Nibbles(at) => {
                let nibble = |i: usize| u16::from(block[at + 2 * i + 1] >> 4) << (4 * i);
                f16_to_f32(nibble(0) | nibble(1) | nibble(2) | nibble(3))
            }
        }
    }

    #[test]
    fn tame_numbers_are_small_and_spoilt_ones_are_none() {
        let mut random = Random(12);
        for finite in [
            Finite::F16(0),
            Finite::F16(3),
            Finite::F32(0),
            Finite::F32(2),
            Finite::Bf16(1),
            Finite::E8m0(5),
            Finite::Nibbles(0),
        ] {
            for _ in 0..1000 {
                let mut block: [u8; 8] = random.next().to_le_bytes();
                finite.tame(&mut block);
                assert!(number(finite, &block).abs() < 2.0);
                finite.spoil(&mut block);
                assert!(number(finite, &block).is_nan());
            }
        }
    }
}
