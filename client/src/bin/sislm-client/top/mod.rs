// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the device does, as it does it: its sessions and their processes, rates, memory.

mod facts;
mod holder;
mod sample;
mod table;

pub(crate) use sample::Sample;
pub(crate) use table::lines;
