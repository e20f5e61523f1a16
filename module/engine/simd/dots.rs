// SPDX-License-Identifier: GPL-2.0
//! Dot products of 8-bit integers, rows in the lanes.

pub(super) mod dotprod;
pub(super) mod i8mm;
pub(super) mod neon;
