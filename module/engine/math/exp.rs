// SPDX-License-Identifier: GPL-2.0
//! The exponential function: reduction by powers of two, then a polynomial (Cody and Waite, 1980).

use super::fma::fma;

/// 1.5 * 2^23: adding it rounds to an integer, nearest even, kept in the low bits of the sum.
pub const ROUND: f32 = 12_582_912.0;
/// log2(e).
pub const LOG2_E: f32 = f32::from_bits(0x3fb8_aa3b);
/// Least argument whose power is not taken as 0.
pub const LEAST: f32 = -87.3;
/// Largest argument whose power is finite.
const LARGEST: f32 = f32::from_bits(0x42b1_7217);
/// ln(2) in two parts, of which this is the larger.
pub const LN_2_HIGH: f32 = f32::from_bits(0x3f31_7218);
/// The smaller part.
pub const LN_2_LOW: f32 = f32::from_bits(0xb102_e308);
/// Minimax coefficients of (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
pub const Q: [f32; 5] = [
    f32::from_bits(0x3f00_0000),
    f32::from_bits(0x3e2a_aa6e),
    f32::from_bits(0x3d2a_aa8d),
    f32::from_bits(0x3c09_05b7),
    f32::from_bits(0x3ab6_8885),
];

/// e to the power `x` from [`LEAST`] to [`LARGEST`], anything else elsewhere.
#[inline(always)]
fn power(x: f32) -> f32 {
    let shifted = fma(x, LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = fma(n, -LN_2_LOW, fma(n, -LN_2_HIGH, x));
    let q = fma(fma(fma(fma(Q[4], r, Q[3]), r, Q[2]), r, Q[1]), r, Q[0]);
    let power = fma(fma(q, r, 1.0), r, 1.0);
    f32::from_bits(power.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// e to the power `x`, within 1 unit in the last place (checked over every float).
///
/// `exp(0)` is 1; below -87.3 the result is +0, so no result is subnormal; above 88.722_83 it
/// overflows to infinity. A NaN gives a NaN. Without branches: a loop over it becomes vectors.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let bounded = if x > LARGEST { f32::INFINITY } else { power(x) };
    let bounded = if x < LEAST { 0.0 } else { bounded };
    if x.is_nan() { x } else { bounded }
}

/// The bits of `1.0 + exp(x)` in fewer operations: the least power is lost beside 1 already. A NaN
/// gives 1.
#[inline(always)]
pub fn one_plus_exp(x: f32) -> f32 {
    let power = power(x.max(LEAST));
    1.0 + if x > LARGEST { f32::INFINITY } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ulp::units_apart;

    fn check(bits: u32) {
        let x = f32::from_bits(bits);
        let (value, exact) = (exp(x), f64::from(x).exp());
        if x.is_nan() {
            assert!(value.is_nan());
        } else if x < -87.3 {
            assert_eq!(value.to_bits(), 0, "exp({x})");
        } else {
            assert!(
                units_apart(value, exact) <= 1.0,
                "exp({x}) = {value}, not {exact}"
            );
        }
    }

    #[test]
    fn named_values() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), 0);
        assert!(exp(LARGEST).is_finite());
        assert!(exp(LARGEST.next_up()).is_infinite());
        assert!(exp(-87.3) >= f32::MIN_POSITIVE);
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

    fn check_one_plus(bits: u32) {
        let x = f32::from_bits(bits);
        let expected = if x.is_nan() { 1.0 } else { 1.0 + exp(x) };
        assert_eq!(one_plus_exp(x).to_bits(), expected.to_bits(), "{x}");
    }

    #[test]
    fn one_more_has_the_same_bits_on_a_stride() {
        (0..=u32::MAX).step_by(4093).for_each(check_one_plus);
        [LEAST, LARGEST, f32::INFINITY, 0.0]
            .into_iter()
            .flat_map(|x| [x.next_down(), x, x.next_up()])
            .for_each(|x| check_one_plus(x.to_bits()));
    }

    #[test]
    #[ignore = "every float"]
    fn one_more_has_the_same_bits_everywhere() {
        (0..=u32::MAX).for_each(check_one_plus);
    }
}
