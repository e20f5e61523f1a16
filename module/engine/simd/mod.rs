// SPDX-License-Identifier: GPL-2.0
//! Packed weights and activations, and the loops over them; each loop equals its scalar twin bit for bit.

pub mod activation;
pub mod elementwise;
mod f16;
mod f32;
pub mod format;
pub mod level;
pub mod norm;
mod packed_format;
pub mod pieces;
mod plain;
mod product;
mod q4_0;
mod q8_0;
