// SPDX-License-Identifier: GPL-2.0
//! Packed weights and activations, and the loops over them; each loop equals its scalar twin bit
//! for bit.

pub mod activation;
pub mod attention;
mod blocks256;
mod blocks32;
mod codec;
pub mod delta;
#[cfg(target_arch = "aarch64")]
mod dots;
pub mod elementwise;
pub mod finite;
mod float;
pub mod format;
mod grids;
pub mod group;
#[cfg(target_arch = "aarch64")]
mod group_loops;
pub mod halves;
#[cfg(target_arch = "aarch64")]
mod integer_loops;
#[cfg(target_arch = "aarch64")]
mod integer_pair_loops;
mod iq;
mod layout;
pub mod level;
#[cfg(target_arch = "aarch64")]
mod neon;
pub mod norm;
#[cfg(target_arch = "aarch64")]
mod pair;
#[cfg(target_arch = "aarch64")]
mod pair_loops;
pub mod pieces;
mod plain;
mod quanta;
pub mod rope;
pub mod scaled;
mod scales;
#[cfg(test)]
mod testing;
mod transpose;
#[cfg(target_arch = "aarch64")]
mod wide_pair_loops;
#[cfg(target_arch = "aarch64")]
mod wide_tile;
