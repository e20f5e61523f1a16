// SPDX-License-Identifier: GPL-2.0
//! A step of the gated delta rule (Yang, Kautz and Hatamizadeh, 2024). Point 10 of the numerics
//! contract.

use super::elementwise;
use super::pieces::{pieces, pieces_mut};
use crate::math::double::ln64;
use crate::math::exp::exp;

/// What a head takes up at a position.
pub struct Step<'a> {
    /// Asks the matrix.
    pub query: &'a [f32],
    /// Where the value goes.
    pub key: &'a [f32],
    /// What the matrix is to give for the key.
    pub value: &'a [f32],
    /// How much of the difference it takes up.
    pub rate: f32,
    /// What is left of it.
    pub decay: f32,
}

/// e^(`decay` * ln(1 + e^`time`)).
pub fn decay(time: f32, decay: f32) -> f32 {
    let magnitude = if time < 0.0 { -time } else { time };
    // CAST: Rounded.
    #[expect(clippy::cast_possible_truncation)]
    let above = ln64(1.0 + f64::from(exp(-magnitude))) as f32;
    let positive = if time > 0.0 { time } else { 0.0 };
    exp(decay * (positive + above))
}

/// Lets `matrix`, (key dimension, value dimension), decay and take up a step, and writes what the
/// query finds in it to `out`; `None` when lengths differ.
pub fn step(matrix: &mut [f32], step: &Step<'_>, out: &mut [f32]) -> Option<()> {
    let size = out.len();
    let square = size.checked_mul(size)?;
    if [step.query.len(), step.key.len(), step.value.len()] != [size; 3] || matrix.len() != square {
        return None;
    }
    elementwise::scale(matrix, step.decay);
    // What the key finds, and what is missing.
    out.fill(0.0);
    for (row, key) in pieces(matrix, size).zip(step.key) {
        elementwise::add_scaled(out, *key, row)?;
    }
    for (out, value) in out.iter_mut().zip(step.value) {
        *out = (value - *out) * step.rate;
    }
    for (row, key) in pieces_mut(matrix, size).zip(step.key) {
        elementwise::add_scaled(row, *key, out)?;
    }
    out.fill(0.0);
    for (row, query) in pieces(matrix, size).zip(step.query) {
        elementwise::add_scaled(out, *query, row)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Random;
    use super::*;

    #[test]
    fn a_step_is_near_its_definition() {
        let mut random = Random(13);
        for size in [1, 5, 16, 33] {
            let mut draw = |count: usize| (0..count).map(|_| random.float()).collect::<Vec<f32>>();
            let [query, key, value] = [(); 3].map(|()| draw(size));
            let mut matrix = draw(size * size);
            let wide: Vec<f64> = matrix.iter().map(|x| f64::from(*x) * 0.75).collect();
            let at = |k: usize, v: usize| wide[k * size + v];
            let missing = |v: usize| {
                let found: f64 = (0..size).map(|k| at(k, v) * f64::from(key[k])).sum();
                (f64::from(value[v]) - found) * 0.25
            };
            let mut out = vec![0.0; size];
            let one = Step {
                query: &query,
                key: &key,
                value: &value,
                rate: 0.25,
                decay: 0.75,
            };
            step(&mut matrix, &one, &mut out).expect("one length");
            for v in 0..size {
                let new = |k: usize| at(k, v) + f64::from(key[k]) * missing(v);
                let exact: f64 = (0..size).map(|k| new(k) * f64::from(query[k])).sum();
                assert!((f64::from(out[v]) - exact).abs() < 1e-4 * exact.abs().max(1.0));
                for k in 0..size {
                    let off = f64::from(matrix[k * size + v]) - new(k);
                    assert!(off.abs() < 1e-5 * new(k).abs().max(1.0));
                }
            }
            assert!(step(&mut matrix, &one, &mut vec![0.0; size + 1]).is_none());
        }
    }

    #[test]
    fn decay_is_near_its_definition() {
        for index in -400..400 {
            let time = index as f32 * 0.25;
            let exact = (-0.3 * (1.0 + f64::from(time).exp()).ln()).exp();
            let value = f64::from(decay(time, -0.3));
            assert!((value - exact).abs() < 3e-6 * exact.max(1e-30), "{time}");
        }
    }
}
