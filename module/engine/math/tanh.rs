// SPDX-License-Identifier: GPL-2.0
//! The hyperbolic tangent.

use super::exp::exp;
use super::fma::fma;

/// Minimax coefficients of (tanh(x) / x - 1) / x^2 in x^2 for |x| <= 0.625.
const P: [f32; 5] = [
    f32::from_bits(0xbeaa_aaa9),
    f32::from_bits(0x3e08_870e),
    f32::from_bits(0xbd5c_92c5),
    f32::from_bits(0x3cac_0247),
    f32::from_bits(0xbbc7_c6f2),
];

/// Hyperbolic tangent, within 2 units in the last place (checked over every float).
///
/// Odd: `tanh(-x)` is `-tanh(x)`. A NaN gives a NaN. Without branches.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let square = x * x;
    let p = fma(
        fma(fma(fma(P[4], square, P[3]), square, P[2]), square, P[1]),
        square,
        P[0],
    );
    let small = fma(p * square, magnitude, magnitude);
    let large = 1.0 - 2.0 / (exp(magnitude + magnitude) + 1.0);
    let result = if magnitude < 0.625 { small } else { large };
    f32::from_bits(result.to_bits() | x.to_bits() & 0x8000_0000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::ulp::units_apart;

    fn check(bits: u32) {
        let x = f32::from_bits(bits);
        if x.is_nan() {
            assert!(tanh(x).is_nan());
        } else {
            let (value, exact) = (tanh(x), f64::from(x).tanh());
            assert!(
                units_apart(value, exact) <= 2.0,
                "tanh({x}) = {value}, not {exact}"
            );
            assert_eq!(tanh(-x).to_bits(), (-value).to_bits());
        }
    }

    #[test]
    fn named_values() {
        assert_eq!(tanh(-0.0).to_bits(), (-0.0f32).to_bits());
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert_eq!(tanh(-40.0), -1.0);
        assert_eq!(tanh(f32::from_bits(1)).to_bits(), 1);
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
