// SPDX-License-Identifier: GPL-2.0
//! Distances in units in the last place, for the tests of this folder.

/// Distance of `value` from the `exact` result, in units in the last place of `exact` as an f32.
///
/// An overflow to infinity is right from half a unit above the largest float.
pub(super) fn units_apart(value: f32, exact: f64) -> f64 {
    let largest = f64::from(f32::MAX) * (1.0 + 2f64.powi(-25));
    if value.is_infinite() || exact.abs() >= largest {
        let agree = value.is_infinite() && exact.abs() >= f64::from(f32::MAX);
        return if agree && (value > 0.0) == (exact > 0.0) {
            0.0
        } else {
            f64::INFINITY
        };
    }
    let exponent = (exact.abs().max(f64::from(f32::MIN_POSITIVE)).to_bits() >> 52) as i32 - 1023;
    (f64::from(value) - exact).abs() / 2f64.powi(exponent - 23)
}
