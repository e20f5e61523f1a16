// SPDX-License-Identifier: GPL-2.0
//! Exponential, logarithm and power in binary64, for sums of probabilities and rotary tables.

use super::fma::fma64;

/// ln 2 as the sum of two: the first has 21 trailing zero bits, so that small multiples are exact.
const LN2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);
/// Adding it rounds to an integer, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52

/// 1/n! for n = 13 down to 2.
const EXP: [f64; 12] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
];

/// e to the power of `x`; +0 below -708, +inf above 709, exp(0) = 1 exactly, NaN stays NaN.
///
/// Taylor's polynomial of degree 13 on |r| <= ln 2 / 2; relative error below 2^-51.
pub fn exp64(x: f64) -> f64 {
    if x < -708.0 {
        return 0.0;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    let shifted = fma64(x, core::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = fma64(-k, LN2_LOW, fma64(-k, LN2_HIGH, x));
    let mut y = 0.0;
    for c in EXP {
        y = fma64(y, r, c);
    }
    y = fma64(fma64(y, r, 1.0), r, 1.0);
    // The exponent field of 2^k, k being the integer in the low bits of `shifted`.
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    y * power
}

/// Natural logarithm of a positive, normal, finite `x`.
///
/// x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)) by its series to
/// degree 23; absolute error below 2^-52 times max(1, |ln x|).
pub fn ln64(x: f64) -> f64 {
    // Bits of sqrt(1/2): what is above it in the fraction belongs to the next power of two.
    const HALF_ROOT: u64 = 0x3fe6_a09e_667f_3bcd;
    let above = x.to_bits().wrapping_sub(HALF_ROOT);
    let k = above.cast_signed() >> 52;
    let m = f64::from_bits(x.to_bits().wrapping_sub(k.cast_unsigned() << 52));
    let f = (m - 1.0) / (m + 1.0);
    let s = f * f;
    let mut y = 0.0;
    for n in [23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        y = fma64(y, s, 1.0 / n);
    }
    let k = k as f64;
    let twice = f + f;
    fma64(k, LN2_HIGH, fma64(k, LN2_LOW, fma64(twice * s, y, twice)))
}

/// `base` to the power `exponent`, for a positive normal base.
///
/// Relative error below 2^-51 * (1 + |exponent * ln(base)|).
pub fn pow64(base: f64, exponent: f64) -> f64 {
    exp64(exponent * ln64(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_rotary_bases() {
        for base in [10_000.0f64, 500_000.0, 1e6] {
            for pair in 0..128 {
                let exponent = -f64::from(pair) / 128.0;
                let exact = base.powf(exponent);
                assert!((pow64(base, exponent) / exact - 1.0).abs() < 6e-15);
            }
        }
    }

    #[test]
    fn exponential_is_near_the_library_s() {
        let mut x = -707.9f64;
        while x < 708.0 {
            let (ours, theirs) = (exp64(x), x.exp());
            assert!(
                ((ours - theirs) / theirs).abs() < 4.5e-16,
                "{x}: {ours} {theirs}"
            );
            x += 0.037_1;
        }
    }

    #[test]
    fn exponential_at_its_borders() {
        assert_eq!(exp64(0.0).to_bits(), 1f64.to_bits());
        assert_eq!(exp64(-0.0).to_bits(), 1f64.to_bits());
        assert_eq!(exp64(-708.1).to_bits(), 0);
        assert_eq!(exp64(f64::NEG_INFINITY).to_bits(), 0);
        assert_eq!(exp64(709.1), f64::INFINITY);
        assert!(exp64(f64::NAN).is_nan());
    }

    #[test]
    fn logarithm_is_near_the_library_s() {
        let mut x = 1e-300f64;
        while x < 1e300 {
            let (ours, theirs) = (ln64(x), x.ln());
            assert!(
                (ours - theirs).abs() <= 2.3e-16 * theirs.abs().max(1.0),
                "{x}: {ours} {theirs}"
            );
            x *= 1.003_7;
        }
        assert_eq!(ln64(1.0), 0.0);
    }

    #[test]
    fn each_undoes_the_other() {
        for i in 1..2000 {
            let x = f64::from(i) * 0.25;
            assert!((ln64(exp64(x)) - x).abs() < 1e-12 * x.max(1.0));
        }
    }
}
