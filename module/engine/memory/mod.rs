// SPDX-License-Identifier: GPL-2.0
//! Views of memory that is handed in: weights, keys and values, activations.

pub mod arena;
pub mod cache;
pub mod columns;
pub mod items;
pub mod kv;
pub mod pod;
pub mod state;
