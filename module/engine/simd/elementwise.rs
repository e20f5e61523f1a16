// SPDX-License-Identifier: GPL-2.0
//! Functions of single activations, over slices.

use crate::math::exp::exp;
use crate::math::fma::fma;
use crate::math::tanh::tanh;

/// SwiGLU (Shazeer, 2020): `gate` / (1 + e^-gate) * `up`.
#[inline(always)]
fn swiglu_one(gate: f32, up: f32) -> f32 {
    gate / (1.0 + exp(-gate)) * up
}

/// sqrt(2 / pi).
const GELU_SLOPE: f32 = f32::from_bits(0x3f4c_422a);

/// GELU in its tanh form (Hendrycks and Gimpel, 2016).
#[inline(always)]
fn gelu_one(x: f32) -> f32 {
    let inner = GELU_SLOPE * x * fma(0.044_715 * x, x, 1.0);
    0.5 * x * (1.0 + tanh(inner))
}

/// `out` = SwiGLU of `gate` and `up`, all of one length; shorter ones end the row.
pub fn swiglu(gate: &[f32], up: &[f32], out: &mut [f32]) {
    for (out, (gate, up)) in out.iter_mut().zip(gate.iter().zip(up)) {
        *out = swiglu_one(*gate, *up);
    }
}

/// GELU in place.
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
    fn slices_are_the_function_of_each() {
        let x: Vec<f32> = grid().collect();
        let up: Vec<f32> = grid().map(|x| x * 0.3 - 1.0).collect();
        let (mut g, mut s) = (x.clone(), x.clone());
        gelu(&mut g);
        swiglu(&x, &up, &mut s);
        for (k, x) in x.iter().enumerate() {
            assert_eq!(g[k].to_bits(), gelu_one(*x).to_bits());
            assert_eq!(s[k].to_bits(), swiglu_one(*x, up[k]).to_bits());
        }
    }
}
