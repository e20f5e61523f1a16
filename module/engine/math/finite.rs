// SPDX-License-Identifier: GPL-2.0
//! Whether values are finite.

/// A number that is larger for a larger absolute value, and largest for a NaN.
#[inline(always)]
pub fn magnitude(value: f32) -> u32 {
    value.to_bits() & 0x7fff_ffff
}

/// Whether all of `values` are finite.
pub fn finite(values: &[f32]) -> bool {
    let magnitudes = values.iter().map(|value| magnitude(*value));
    magnitudes.fold(0, u32::max) < magnitude(f32::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::finite;

    #[test]
    fn infinities_and_nans_are_found_anywhere() {
        let mut values = [f32::MAX; 37];
        assert!(finite(&values) && finite(&[]));
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for index in 0..values.len() {
                values[index] = bad;
                assert!(!finite(&values));
                values[index] = -0.0;
            }
        }
    }
}
