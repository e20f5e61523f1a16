// SPDX-License-Identifier: GPL-2.0
//! Rows of binary16, widened: stored keys and values.

use super::level::Level;
use crate::math::half::f16_to_f32;

/// Widens `halves`, two bytes each, into `out`; the shorter of the two ends the row.
pub fn widen(level: Level, halves: &[u8], out: &mut [f32]) {
    let (halves, _) = halves.as_chunks::<2>();
    match level {
        #[cfg(target_arch = "aarch64")]
        // SAFETY: by the invariant of `Level` the CPU has Advanced SIMD.
        level if level > Level::SCALAR => unsafe { neon(halves, out) },
        _ => twin(halves, out),
    }
}

/// The scalar twin.
fn twin(halves: &[[u8; 2]], out: &mut [f32]) {
    for (out, half) in out.iter_mut().zip(halves) {
        *out = f16_to_f32(u16::from_le_bytes(*half));
    }
}

/// By FCVTL, 32 values in a pass of the loop.
#[cfg(target_arch = "aarch64")]
#[target_feature(enable = "neon")]
fn neon(halves: &[[u8; 2]], out: &mut [f32]) {
    let (runs, rest) = halves.as_chunks::<32>();
    let (values, out) = out
        .split_at_mut_checked(runs.len() * 32)
        .unwrap_or_default();
    for (values, halves) in values.as_chunks_mut::<32>().0.iter_mut().zip(runs) {
        let (fours, _) = values.as_chunks_mut::<4>();
        let (pairs, _) = fours.as_chunks_mut::<2>();
        let (eights, _) = halves.as_chunks::<8>();
        for ([low, high], eight) in pairs.iter_mut().zip(eights) {
            let [a, b] = super::neon::load_f16(eight);
            super::neon::store(low, a);
            super::neon::store(high, b);
        }
    }
    twin(rest, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_at_every_level() {
        let halves: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        for level in Level::all() {
            for (from, to) in [(0, 1 << 16), (3, 1000), (5, 12), (9, 9)] {
                let mut out = vec![0.0; to - from];
                widen(level, &halves[2 * from..2 * to], &mut out);
                for (half, value) in (from..to).zip(out) {
                    assert_eq!(
                        value.to_bits(),
                        f16_to_f32(half as u16).to_bits(),
                        "{half:#x}"
                    );
                }
            }
        }
    }
}
