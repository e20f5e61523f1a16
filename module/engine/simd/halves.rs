// SPDX-License-Identifier: GPL-2.0
//! Rows rounded to binary16: keys and values that are stored.

use super::level::Level;
use crate::math::half::f32_to_f16_clamped;

/// Clamps `values` to the finite range of binary16 and rounds them into `out`; the shorter of the
/// two ends the row. A NaN stays a NaN.
pub fn narrow(level: Level, values: &[f32], out: &mut [u16]) {
    match level {
        #[cfg(target_arch = "aarch64")]
        // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
        level if level > Level::SCALAR => unsafe { neon(values, out) },
        _ => twin(values, out),
    }
}

/// The scalar twin.
fn twin(values: &[f32], out: &mut [u16]) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = f32_to_f16_clamped(*value);
    }
}

/// By FCVTN, eight values at a time.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(values: &[f32], out: &mut [u16]) {
    use core::arch::aarch64::*;

    let most = vdupq_n_f32(crate::math::half::F16_MAX);
    let (runs, rest) = values.as_chunks::<8>();
    let (halves, out) = out.split_at_mut_checked(runs.len() * 8).unwrap_or_default();
    for (halves, values) in halves.as_chunks_mut::<8>().0.iter_mut().zip(runs) {
        // SAFETY: `values` has the 32 bytes that are read.
        let [low, high] = unsafe {
            let values = values.as_ptr();
            [vld1q_f32(values), vld1q_f32(values.add(4))]
        }
        .map(|x| vminq_f32(vmaxq_f32(x, vnegq_f32(most)), most));
        let rounded = vcvt_high_f16_f32(vcvt_f16_f32(low), high);
        // SAFETY: `halves` has the 16 bytes that are written.
        unsafe { vst1q_u16(halves.as_mut_ptr(), vreinterpretq_u16_f16(rounded)) };
    }
    twin(rest, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_equals_the_twin() {
        // Every 4093rd float: all exponents and signs, ties, subnormal halves, infinities, NaNs.
        let values: Vec<f32> = (0..=u32::MAX).step_by(4093).map(f32::from_bits).collect();
        for level in Level::all() {
            for length in [0, 1, 7, 8, 9, 16, 23, values.len()] {
                let values = &values[values.len() - length..];
                let (mut out, mut expected) = (vec![0; length], vec![0; length]);
                narrow(level, values, &mut out);
                twin(values, &mut expected);
                assert_eq!(out, expected, "{level:?}");
            }
        }
    }
}
