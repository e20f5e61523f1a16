// SPDX-License-Identifier: GPL-2.0
//! The two operations of IEEE 754 that stable `core` lacks.

use core::f32::math;
use core::f64;

/// `a * b + c`, rounded once.
#[inline(always)]
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    math::mul_add(a, b, c)
}

/// `a * b + c` in binary64, rounded once.
#[inline(always)]
pub fn fma64(a: f64, b: f64, c: f64) -> f64 {
    f64::math::mul_add(a, b, c)
}

/// Square root, rounded to nearest even; NaN below zero.
#[inline(always)]
pub fn sqrt(x: f32) -> f32 {
    math::sqrt(x)
}

/// Square root in binary64, rounded to nearest even; NaN below zero.
#[inline(always)]
pub fn sqrt64(x: f64) -> f64 {
    f64::math::sqrt(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fma_rounds_once() {
        let fused = fma(
            f32::from_bits(0x3980_1000),
            f32::from_bits(0x397f_e004),
            1.0,
        );
        assert_eq!(fused.to_bits(), 0x3f80_0001);
        let e = f64::EPSILON;
        assert_eq!(fma64(1.0 + e, 1.0 - e, -1.0), -e * e);
    }

    #[test]
    fn square_root_is_the_machine_s() {
        assert_eq!(sqrt(2.0).to_bits(), 0x3fb5_04f3);
        assert_eq!(sqrt64(2.0).to_bits(), 0x3ff6_a09e_667f_3bcd);
        assert!(sqrt(-1.0).is_nan());
    }
}
