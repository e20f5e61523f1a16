// SPDX-License-Identifier: GPL-2.0
//! Values rounded to 8-bit integers with a binary16 scale: keys and values that are stored.

use super::activation::{INT8_BLOCK, Int8Block, int8};
use super::level::Level;
use crate::math::half::f32_to_f16_clamped;

/// A binary16 that is no number.
const NAN: u16 = 0x7e00;

/// Values as integers: x is about scale * quantum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaled {
    /// From -127 to 127; 0 past the values.
    pub quanta: [i8; INT8_BLOCK],
    /// A binary16; no number where the values cannot be scaled.
    pub scale: u16,
}

/// Rounds up to 32 `values` as activations are, and their scale to binary16, clamped to its finite range.
pub fn narrow(level: Level, values: &[f32]) -> Scaled {
    let mut x = [0.0; INT8_BLOCK];
    for (x, value) in x.iter_mut().zip(values) {
        *x = *value;
    }
    match quantize(level, &x) {
        Some(block) => {
            let mut quanta = [0; INT8_BLOCK];
            quanta.copy_from_slice(block.values.as_flattened());
            let [scale, _] = block.scale_and_product();
            Scaled {
                quanta,
                scale: f32_to_f16_clamped(scale),
            }
        }
        None => Scaled {
            quanta: [0; INT8_BLOCK],
            scale: NAN,
        },
    }
}

/// The block of the level.
#[inline(always)]
fn quantize(level: Level, x: &[f32; INT8_BLOCK]) -> Option<Int8Block> {
    match level {
        #[cfg(target_arch = "aarch64")]
        // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
        level if level > Level::SCALAR => unsafe { int8::neon::quantize(x) },
        _ => int8::quantize(x),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Random;
    use super::*;
    use crate::math::half::f16_to_f32;

    #[test]
    fn values_are_within_half_a_quantum() {
        let mut random = Random(13);
        for round in 0..2000 {
            let count = 1 + random.below(INT8_BLOCK);
            // From scales that binary16 has few digits of, to the largest that it has.
            let unit = 2f32.powi(round % 42 - 22);
            let values: Vec<f32> = (0..count).map(|_| random.float() * unit).collect();
            let largest = values.iter().fold(0f32, |a, b| a.max(b.abs()));
            let expected = narrow(Level::SCALAR, &values);
            let scale = f16_to_f32(expected.scale);
            // Half a quantum, and 127 times the error of the scale; the rest is rounding.
            let exact = largest / 127.0;
            let allowed = 0.5 * exact + 127.0 * (exact * 2f32.powi(-11) + 2f32.powi(-25));
            for (value, quantum) in values.iter().zip(expected.quanta) {
                let error = (value - scale * f32::from(quantum)).abs();
                assert!(error <= allowed * 1.0001, "{value}: {error} of {allowed}");
            }
            assert!(expected.quanta[count..].iter().all(|q| *q == 0));
            for level in Level::all() {
                assert_eq!(narrow(level, &values), expected, "{level:?}");
            }
        }
    }

    #[test]
    fn the_ends_of_the_range() {
        for level in Level::all() {
            let zeros = narrow(level, &[0.0, -0.0, 1e-30]);
            assert_eq!((zeros.scale, zeros.quanta), (0, [0; 32]));
            let one = narrow(level, &[127.0, -1.0, 0.5, 1.5]);
            assert_eq!(
                (one.scale, &one.quanta[..4]),
                (0x3c00, &[127, -1, 0, 2][..])
            );
            // 65504 times 127 is the largest value.
            let large = narrow(level, &[1e9, -1e9]);
            assert_eq!(
                (large.scale, &large.quanta[..2]),
                (0x7bff, &[127, -127][..])
            );
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 2f32.powi(60)] {
                let bad = narrow(level, &[1.0, bad]);
                assert_eq!((bad.scale, bad.quanta), (NAN, [0; 32]));
            }
        }
    }
}
