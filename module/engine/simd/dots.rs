// SPDX-License-Identifier: GPL-2.0
//! Dot products of 8-bit integers, rows in the lanes.

pub mod dotprod;
pub mod i8mm;
pub mod neon;
