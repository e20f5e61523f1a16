// SPDX-License-Identifier: GPL-2.0
//! The natural logarithm: the exponent, then a polynomial around 1.

use super::fma::fma;

/// Bits of sqrt(1/2): numbers are split so that the significand lies around 1.
const SQRT_HALF: u32 = 0x3f35_04f3;
const LN_2_HIGH: f32 = f32::from_bits(0x3f31_7218);
const LN_2_LOW: f32 = f32::from_bits(0xb102_e308);
/// Minimax coefficients of (ln(1 + f) - f + f^2 / 2) / f^3 for sqrt(1/2) <= 1 + f <= sqrt(2).
const P: [f32; 9] = [
    f32::from_bits(0x3eaa_aaaa),
    f32::from_bits(0xbe7f_fffe),
    f32::from_bits(0x3e4c_ceae),
    f32::from_bits(0xbe2a_ada8),
    f32::from_bits(0x3e11_e8eb),
    f32::from_bits(0xbdfe_7987),
    f32::from_bits(0x3def_532b),
    f32::from_bits(0xbdeb_229e),
    f32::from_bits(0x3d8e_cc14),
];

/// Natural logarithm, within 1 unit in the last place (checked over every float).
///
/// Minus infinity at zero, NaN below.
pub fn log(x: f32) -> f32 {
    let (scaled, shift) = if x < f32::MIN_POSITIVE {
        (x * f32::from_bits((127 + 23) << 23), 23)
    } else {
        (x, 0)
    };
    let bits = scaled.to_bits();
    let exponent = bits.wrapping_sub(SQRT_HALF).cast_signed() >> 23;
    let f = f32::from_bits(bits.wrapping_sub((exponent << 23).cast_unsigned())) - 1.0;
    let n = exponent.wrapping_sub(shift) as f32;
    let p = P.iter().rev().fold(0.0, |sum, c| fma(sum, f, *c));
    let tail = fma(fma(p, f, -0.5), f * f, n * LN_2_LOW);
    let value = fma(n, LN_2_HIGH, f + tail);
    if x > 0.0 && x < f32::INFINITY {
        value
    } else if x == 0.0 {
        f32::NEG_INFINITY
    } else if x < 0.0 {
        f32::NAN
    } else {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ulp::units_apart;

    fn check(bits: u32) {
        let x = f32::from_bits(bits);
        if x.is_nan() || x < 0.0 {
            assert!(log(x).is_nan());
        } else if x == 0.0 || x == f32::INFINITY {
            assert_eq!(log(x), f64::from(x).ln() as f32);
        } else {
            let (value, exact) = (log(x), f64::from(x).ln());
            assert!(
                units_apart(value, exact) <= 1.0,
                "log({x}) = {value}, not {exact}"
            );
        }
    }

    #[test]
    fn named_values() {
        assert_eq!(log(1.0).to_bits(), 0);
        (0x3f7f_0000..0x3f80_1000).for_each(check);
    }

    #[test]
    fn within_the_bound_on_a_stride() {
        (0..=u32::MAX).step_by(4093).for_each(check);
    }

    #[test]
    #[ignore = "every float"]
    fn within_the_bound_everywhere() {
        (0..=u32::MAX).for_each(check);
    }
}
