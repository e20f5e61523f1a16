// SPDX-License-Identifier: GPL-2.0
//! The functions of the wall: pointers become slices and references here, and nowhere else.

pub mod arena;
mod check;
pub mod pod;
