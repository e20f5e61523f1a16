// SPDX-License-Identifier: GPL-2.0
//! Functions of single activations, over slices.

use crate::math::exp::exp;
use crate::math::fma::fma;
use crate::math::tanh::tanh;

/// SwiGLU (Shazeer, 2020): `gate` / (1 + e^-gate) * `up`.
#[inline(always)]
pub fn swiglu_one(gate: f32, up: f32) -> f32 {
    gate / (1.0 + exp(-gate)) * up
}

/// sqrt(2 / pi).
const GELU_SLOPE: f32 = f32::from_bits(0x3f4c_422a);

/// GELU in its tanh form (Hendrycks and Gimpel, 2016).
#[inline(always)]
pub fn gelu_one(x: f32) -> f32 {
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

/// e^x in place.
pub fn exp_slice(x: &mut [f32]) {
    for x in x {
        *x = exp(*x);
    }
}
