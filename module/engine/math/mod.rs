// SPDX-License-Identifier: GPL-2.0
//! Scalar functions of the numerics contract: one definition each, the same bits on every machine.

pub mod double;
pub mod exp;
pub mod finite;
pub mod fma;
pub mod half;
pub mod log;
pub mod tanh;
pub mod trigonometry;
#[cfg(test)]
mod ulp;
