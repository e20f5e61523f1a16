// SPDX-License-Identifier: GPL-2.0
//! Functions of single activations, over slices.

use crate::math::exp::one_plus_exp;
use crate::math::finite::magnitude;
use crate::math::fma::fma;
use crate::math::tanh::tanh;
use crate::simd::pieces::pieces;

/// SwiGLU (Shazeer, 2020): `gate` / (1 + e^-gate) * `up`.
#[inline(always)]
fn swiglu_one(gate: f32, up: f32) -> f32 {
    gate / one_plus_exp(-gate) * up
}

/// sqrt(2 / pi).
const GELU_SLOPE: f32 = f32::from_bits(0x3f4c_422a);

/// GELU in its tanh form (Hendrycks and Gimpel, 2016).
#[inline(always)]
fn gelu_one(x: f32) -> f32 {
    let inner = GELU_SLOPE * x * fma(0.044_715 * x, x, 1.0);
    0.5 * x * (1.0 + tanh(inner))
}

/// Largest gate, and largest magnitude of up, of [`clamped_swiglu`].
const CLAMP: f32 = 7.0;
/// How steep its sigmoid is.
const STEEP: f32 = 1.702;

/// The SwiGLU of gpt-oss: `gate` / (1 + e^(-1.702 gate)) * (`up` + 1), both clamped before.
#[inline(always)]
fn clamped_swiglu_one(gate: f32, up: f32) -> f32 {
    let gate = if gate > CLAMP { CLAMP } else { gate };
    let up = clamp_one(up, CLAMP);
    gate / one_plus_exp(-STEEP * gate) * (up + 1.0)
}

/// `x` within -`most` and `most`; a NaN stays one.
#[inline(always)]
fn clamp_one(x: f32, most: f32) -> f32 {
    if x > most {
        most
    } else if x < -most {
        -most
    } else {
        x
    }
}

/// A soft cap: `most` * tanh(`x` / `most`).
#[inline(always)]
pub fn cap_one(x: f32, most: f32) -> f32 {
    most * tanh(x / most)
}

/// 1 / (1 + e^-x).
pub fn sigmoid(x: f32) -> f32 {
    1.0 / one_plus_exp(-x)
}

/// `x` *= `factor`.
#[inline(never)]
pub fn scale(x: &mut [f32], factor: f32) {
    for x in x {
        *x *= factor;
    }
}

/// `out` = `x`; `None` when `x` is shorter.
#[inline(always)]
pub fn copy(x: &[f32], out: &mut [f32]) -> Option<()> {
    let x = x.get(..out.len())?;
    for (out, x) in out.iter_mut().zip(x) {
        *out = *x;
    }
    Some(())
}

/// `x` *= `factors`; `None` when their lengths differ.
#[inline(never)]
pub fn multiply(x: &mut [f32], factors: &[f32]) -> Option<()> {
    if x.len() != factors.len() {
        return None;
    }
    for (x, factor) in x.iter_mut().zip(factors) {
        *x *= factor;
    }
    Some(())
}

/// `x` / (1 + e^-x) in place.
#[inline(never)]
pub fn silu(x: &mut [f32]) {
    for x in x {
        *x = swiglu_one(*x, 1.0);
    }
}

/// `sums` += `x` times the weights of its columns, each of which has `stride`, the `place`th counts;
/// `None` when lengths do not fit.
#[inline(never)]
pub fn add_products(
    sums: &mut [f32],
    x: &[f32],
    weights: &[f32],
    place: usize,
    stride: usize,
) -> Option<()> {
    let x = x.get(..sums.len())?;
    for ((sum, x), weights) in sums.iter_mut().zip(x).zip(pieces(weights, stride)) {
        *sum = fma(*weights.get(place)?, *x, *sum);
    }
    Some(())
}

/// Clamps all of `x` within -`most` and `most`.
#[inline(never)]
pub fn clamp(x: &mut [f32], most: f32) {
    for x in x {
        *x = clamp_one(*x, most);
    }
}

/// [`cap_one`] of all of `x`.
#[inline(never)]
pub fn cap(x: &mut [f32], most: f32) {
    for x in x {
        *x = cap_one(*x, most);
    }
}

/// `sums` = `factor` * `x` + `sums`; `None` when `x` is shorter than `sums`.
#[inline(never)]
pub fn add_scaled(sums: &mut [f32], factor: f32, x: &[f32]) -> Option<()> {
    let x = x.get(..sums.len())?;
    for (sum, x) in sums.iter_mut().zip(x) {
        *sum = fma(factor, *x, *sum);
    }
    Some(())
}

/// `sums` += `x`. Whether all sums are finite; `None` when `x` is shorter than `sums`.
///
/// On its own like the other loops here, so that their constants have all registers, and their
/// set-up is not part of a loop over rows.
#[inline(never)]
pub fn add(sums: &mut [f32], x: &[f32]) -> Option<bool> {
    let x = x.get(..sums.len())?;
    let mut largest = 0;
    for (sum, x) in sums.iter_mut().zip(x) {
        *sum += *x;
        largest = magnitude(*sum).max(largest);
    }
    Some(largest < magnitude(f32::INFINITY))
}

/// `up` = SwiGLU of `gate` and `up`; `None` when their lengths differ.
#[inline(never)]
pub fn swiglu(gate: &[f32], up: &mut [f32]) -> Option<()> {
    if gate.len() != up.len() {
        return None;
    }
    for (up, gate) in up.iter_mut().zip(gate) {
        *up = swiglu_one(*gate, *up);
    }
    Some(())
}

/// `up` = GELU of `gate` times `up` (Shazeer, 2020); `None` when their lengths differ.
#[inline(never)]
pub fn geglu(gate: &[f32], up: &mut [f32]) -> Option<()> {
    if gate.len() != up.len() {
        return None;
    }
    for (up, gate) in up.iter_mut().zip(gate) {
        *up *= gelu_one(*gate);
    }
    Some(())
}

/// `up` = the clamped SwiGLU of `gate` and `up`; `None` when their lengths differ.
#[inline(never)]
pub fn clamped_swiglu(gate: &[f32], up: &mut [f32]) -> Option<()> {
    if gate.len() != up.len() {
        return None;
    }
    for (up, gate) in up.iter_mut().zip(gate) {
        *up = clamped_swiglu_one(*gate, *up);
    }
    Some(())
}

/// The square of what is positive (So et al., 2021), in place; a NaN stays one.
#[inline(never)]
pub fn relu_squared(x: &mut [f32]) {
    for x in x {
        let positive = if *x < 0.0 { 0.0 } else { *x };
        *x = positive * positive;
    }
}

/// GELU in place.
#[inline(never)]
pub fn gelu(x: &mut [f32]) {
    for x in x {
        *x = gelu_one(*x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> impl Iterator<Item = f32> {
        (-20_000..=20_000).map(|step| step as f32 * 0.001_7)
    }

    #[test]
    fn swiglu_is_near_its_definition() {
        for gate in grid() {
            let exact = f64::from(gate) / (1.0 + (-f64::from(gate)).exp()) * 3.0;
            let value = f64::from(swiglu_one(gate, 3.0));
            assert!((value - exact).abs() <= 4e-7 * exact.abs(), "{gate}");
        }
        assert_eq!(swiglu_one(-100.0, 1.0), 0.0);
    }

    #[test]
    fn gelu_is_near_its_definition() {
        let slope = (2.0 / std::f64::consts::PI).sqrt();
        for x in grid() {
            let wide = f64::from(x);
            let inner = slope * (wide + 0.044_715 * wide * wide * wide);
            let exact = 0.5 * wide * (1.0 + inner.tanh());
            assert!(
                (f64::from(gelu_one(x)) - exact).abs() <= 3e-7 * wide.abs().max(1.0),
                "{x}"
            );
        }
    }

    #[test]
    fn others_are_near_their_definitions() {
        for x in grid() {
            let wide = f64::from(x);
            let sigmoid_of = |x: f64| 1.0 / (1.0 + (-x).exp());
            assert!((f64::from(sigmoid(x)) - sigmoid_of(wide)).abs() < 2e-7);
            let capped = 5.0 * (wide / 5.0).tanh();
            assert!((f64::from(cap_one(x, 5.0)) - capped).abs() < 2e-6);
            let gate = wide.min(7.0);
            let exact = gate * sigmoid_of(1.702 * gate) * ((wide * 0.5).clamp(-7.0, 7.0) + 1.0);
            let value = f64::from(clamped_swiglu_one(x, x * 0.5));
            assert!((value - exact).abs() <= 4e-6 * exact.abs().max(1.0), "{x}");
        }
        let mut x = [-2.0, -0.0, 3.0, f32::NAN];
        relu_squared(&mut x);
        assert_eq!(x[..3], [0.0, 0.0, 9.0]);
        assert!(x[3].is_nan());
        let mut x = [-9.0, 2.0, 9.0];
        clamp(&mut x, 4.0);
        assert_eq!(x, [-4.0, 2.0, 4.0]);
        scale(&mut x, 0.5);
        assert_eq!(x, [-2.0, 1.0, 2.0]);
        assert_eq!(add_scaled(&mut x, 2.0, &[1.0; 3]), Some(()));
        assert_eq!(x, [0.0, 3.0, 4.0]);
    }

    #[test]
    fn slices_are_the_function_of_each() {
        let x: Vec<f32> = grid().collect();
        let up: Vec<f32> = grid().map(|x| x * 0.3 - 1.0).collect();
        let (mut g, mut s, mut a) = (x.clone(), up.clone(), up.clone());
        let (mut e, mut o, mut c) = (up.clone(), up.clone(), x.clone());
        assert_eq!(geglu(&x, &mut e), Some(()));
        assert_eq!(clamped_swiglu(&x, &mut o), Some(()));
        cap(&mut c, 3.0);
        gelu(&mut g);
        assert_eq!(swiglu(&x, &mut s), Some(()));
        assert_eq!(add(&mut a, &x), Some(true));
        for (k, x) in x.iter().enumerate() {
            assert_eq!(g[k].to_bits(), gelu_one(*x).to_bits());
            assert_eq!(s[k].to_bits(), swiglu_one(*x, up[k]).to_bits());
            assert_eq!(a[k].to_bits(), (up[k] + *x).to_bits());
            assert_eq!(e[k].to_bits(), (up[k] * gelu_one(*x)).to_bits());
            assert_eq!(o[k].to_bits(), clamped_swiglu_one(*x, up[k]).to_bits());
            assert_eq!(c[k].to_bits(), cap_one(*x, 3.0).to_bits());
        }
    }

    #[test]
    fn a_sum_that_overflows_is_told() {
        for index in 0..37 {
            let mut sums = [1.0; 37];
            sums[index] = f32::MAX;
            assert_eq!(add(&mut sums, &[1.0; 37]), Some(true));
            let mut x = [1.0; 37];
            x[index] = f32::MAX;
            assert_eq!(add(&mut sums, &x), Some(false));
        }
    }

    #[test]
    fn slices_of_other_lengths_are_not_paired() {
        assert_eq!(add(&mut [0.0; 3], &[0.0; 2]), None);
        assert_eq!(add(&mut [0.0; 3], &[0.0; 4]), Some(true));
        assert_eq!(swiglu(&[0.0; 3], &mut [0.0; 2]), None);
        assert_eq!(swiglu(&[0.0; 2], &mut [0.0; 3]), None);
        assert_eq!(geglu(&[0.0; 3], &mut [0.0; 2]), None);
        assert_eq!(clamped_swiglu(&[0.0; 3], &mut [0.0; 2]), None);
        assert_eq!(add_scaled(&mut [0.0; 3], 1.0, &[0.0; 2]), None);
    }
}
