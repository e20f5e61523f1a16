// SPDX-License-Identifier: GPL-2.0
//! Rounding to 8-bit integers, whatever the block.

const LEAST: u32 = (127 - 60) << 23;
const LIMIT: u32 = (127 + 60) << 23;
/// 1.5 * 2^23: adding it rounds to an integer, nearest even, kept in the low bits of the sum.
const ROUND: f32 = 12_582_912.0;

/// amax / 127 and 127 / amax, for a largest magnitude with the bits `amax`; both 0 below 2^-60.
///
/// `None` when it is 2^60 or more, or a NaN.
#[inline(always)]
pub(super) fn scale_and_inverse(amax: u32) -> Option<(f32, f32)> {
    let magnitude = f32::from_bits(amax);
    match amax {
        LIMIT.. => None,
        ..LEAST => Some((0.0, 0.0)),
        _ => Some((magnitude / 127.0, 127.0 / magnitude)),
    }
}

/// The bits of the largest magnitude.
#[inline(always)]
pub(super) fn largest(x: &[f32]) -> u32 {
    let magnitude = |x: &f32| x.to_bits() & 0x7fff_ffff;
    x.iter().map(magnitude).fold(0, u32::max)
}

/// The nearest integers to `x` * `inverse`, ties to even, and their sum.
#[inline(always)]
pub(super) fn round(x: &[f32; 32], inverse: f32) -> ([[i8; 16]; 2], i32) {
    let mut values = [[0i8; 16]; 2];
    let mut sum = 0i32;
    for (value, x) in values.as_flattened_mut().iter_mut().zip(x) {
        // CAST: From -127 to 127 in the low byte.
        #[expect(clippy::cast_possible_truncation)]
        let rounded = (x * inverse + ROUND)
            .to_bits()
            .wrapping_sub(ROUND.to_bits()) as i8;
        *value = rounded;
        sum = sum.wrapping_add(i32::from(rounded));
    }
    (values, sum)
}
