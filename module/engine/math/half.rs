// SPDX-License-Identifier: GPL-2.0
//! IEEE 754 binary16, as bits in a `u16`.

/// Largest finite binary16.
pub const F16_MAX: f32 = 65504.0;

/// Widens a binary16: exact; infinities stay, a NaN becomes a quiet NaN with the same payload.
#[inline(always)]
pub fn f16_to_f32(half: u16) -> f32 {
    let sign = u32::from(half & 0x8000) << 16;
    let magnitude = u32::from(half & 0x7fff);
    // Shifted into place the exponent is short of 127 - 15; the product is exact, subnormals
    // included.
    let finite = (f32::from_bits(magnitude << 13) * f32::from_bits((127 + 112) << 23)).to_bits();
    let special = 0x7f80_0000 | magnitude << 13 | u32::from(magnitude > 0x7c00) << 22;
    f32::from_bits(sign | if magnitude < 0x7c00 { finite } else { special })
}

/// Rounds to binary16, nearest even; too large becomes infinity, a NaN stays a quiet NaN.
#[inline(always)]
pub fn f32_to_f16(x: f32) -> u16 {
    let bits = x.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let magnitude = bits & 0x7fff_ffff;
    // Normal results: rebias, and add half a unit, less one when the kept part is even.
    let rounded = magnitude
        .wrapping_sub(112 << 23)
        .wrapping_add(0xfff + (magnitude >> 13 & 1))
        >> 13;
    // Subnormal results: adding one half leaves the rounded multiple of 2^-24 in the low bits.
    let tiny = (f32::from_bits(magnitude) + 0.5)
        .to_bits()
        .wrapping_sub(0.5f32.to_bits());
    let half = if magnitude > 0x7f80_0000 {
        0x7e00 | magnitude >> 13 & 0x3ff
    } else if magnitude >= 0x477f_f000 {
        0x7c00
    } else if magnitude >= 0x3880_0000 {
        rounded
    } else {
        tiny
    };
    // CAST: Without the sign, below 2^15.
    #[expect(clippy::cast_possible_truncation)]
    let half = half as u16;
    sign | half
}

/// Rounds to binary16 after clamping to its finite range, as K and V are stored; a NaN stays a NaN.
#[inline(always)]
pub fn f32_to_f16_clamped(x: f32) -> u16 {
    let low = if x < -F16_MAX { -F16_MAX } else { x };
    f32_to_f16(if low > F16_MAX { F16_MAX } else { low })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a finite binary16 by its definition.
    fn by_definition(half: u16) -> f64 {
        let exponent = i32::from(half >> 10 & 31);
        let fraction = f64::from(half & 0x3ff);
        let magnitude = match exponent {
            0 => fraction * 2f64.powi(-24),
            e => (1024.0 + fraction) * 2f64.powi(e - 25),
        };
        if half & 0x8000 != 0 {
            -magnitude
        } else {
            magnitude
        }
    }

    #[test]
    fn every_half_widens_and_comes_back() {
        for half in 0..=u16::MAX {
            let wide = f16_to_f32(half);
            match half & 0x7fff {
                0x7c00 => assert!(wide.is_infinite()),
                m if m > 0x7c00 => assert!(wide.is_nan()),
                _ => assert_eq!(f64::from(wide), by_definition(half)),
            }
            assert_eq!(wide.is_sign_negative(), half & 0x8000 != 0);
            let quiet = if half & 0x7fff > 0x7c00 {
                half | 0x200
            } else {
                half
            };
            assert_eq!(f32_to_f16(wide), quiet);
        }
    }

    #[test]
    fn ties_go_to_even_and_neighbours_to_the_nearer() {
        for half in 0..0x7bffu16 {
            let (low, high) = (by_definition(half), by_definition(half + 1));
            let middle = ((low + high) / 2.0) as f32;
            let even = half + (half & 1);
            for (sign, bit) in [(1.0, 0), (-1.0, 0x8000)] {
                assert_eq!(f32_to_f16(sign * middle), even | bit);
                assert_eq!(f32_to_f16(sign * middle.next_down()), half | bit);
                assert_eq!(f32_to_f16(sign * middle.next_up()), (half + 1) | bit);
            }
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        assert_eq!(f32_to_f16(65519.996), 0x7bff);
        assert_eq!(f32_to_f16(65520.0), 0x7c00);
        assert_eq!(f32_to_f16(f32::INFINITY), 0x7c00);
        assert_eq!(f32_to_f16(f32::from_bits(1)), 0);
        assert_eq!(f32_to_f16(2f32.powi(-25)), 0);
        assert_eq!(f32_to_f16(2f32.powi(-25).next_up()), 1);
        assert_eq!(f32_to_f16_clamped(1e30), 0x7bff);
        assert_eq!(f32_to_f16_clamped(-1e30), 0xfbff);
        assert_eq!(f32_to_f16_clamped(1.0), 0x3c00);
    }
}
