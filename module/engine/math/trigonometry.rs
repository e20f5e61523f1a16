// SPDX-License-Identifier: GPL-2.0
//! Sine and cosine in binary64, for rotary tables made once.

use super::fma::fma64;

/// 1.5 * 2^52: adding it rounds to an integer, nearest even, kept in the low bits of the sum.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// pi / 2 less its rounding to binary64.
const HALF_PI_LOW: f64 = 6.123_233_995_736_766e-17;
/// Coefficients of fdlibm's k_sin.c: (sin(r) - r) / r^3 in r^2 for |r| <= pi / 4.
const S: [f64; 6] = [
    -1.666_666_666_666_663_2e-1,
    8.333_333_333_322_49e-3,
    -1.984_126_982_985_795e-4,
    2.755_731_370_707_006_8e-6,
    -2.505_076_025_340_686_3e-8,
    1.589_690_995_211_55e-10,
];
/// Coefficients of fdlibm's k_cos.c: (cos(r) - 1 + r^2 / 2) / r^4 in r^2 for |r| <= pi / 4.
const C: [f64; 6] = [
    4.166_666_666_666_66e-2,
    -1.388_888_888_887_411e-3,
    2.480_158_728_947_673e-5,
    -2.755_731_435_139_066_3e-7,
    2.087_572_321_298_175e-9,
    -1.135_964_755_778_819_5e-11,
];

/// Sine and cosine of `x` radians, |x| <= 2^30, within 2^-51 of the exact values.
pub fn sin_cos64(x: f64) -> (f64, f64) {
    let shifted = fma64(x, core::f64::consts::FRAC_2_PI, ROUND);
    let n = shifted - ROUND;
    let r = fma64(n, -HALF_PI_LOW, fma64(n, -core::f64::consts::FRAC_PI_2, x));
    let square = r * r;
    let s = S.iter().rev().fold(0.0, |sum, c| fma64(sum, square, *c));
    let c = C.iter().rev().fold(0.0, |sum, c| fma64(sum, square, *c));
    let sin = fma64(s * square, r, r);
    let cos = fma64(c * square, square, fma64(-0.5, square, 1.0));
    match shifted.to_bits() & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_the_bound() {
        let bound = 2f64.powi(-51);
        let spread = (0..2_000_000i32).map(|step| f64::from(step - 1_000_000) * 0.013_7);
        let wide = (0..1_000_000u32).map(|step| f64::from(step * 1073) + 0.123);
        let quarters = (0..1000).map(|n| f64::from(n) * core::f64::consts::FRAC_PI_4);
        for x in spread.chain(wide).chain(quarters) {
            let (sin, cos) = sin_cos64(x);
            assert!((sin - x.sin()).abs() <= bound, "sin({x})");
            assert!((cos - x.cos()).abs() <= bound, "cos({x})");
        }
        assert_eq!(sin_cos64(0.0), (0.0, 1.0));
    }
}
