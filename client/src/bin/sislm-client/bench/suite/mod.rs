// SPDX-License-Identifier: MIT OR Apache-2.0
//! What parts of the module take, beside what they are to take.

mod counters;
mod emulation;
mod line;
mod part;

pub(crate) use counters::Counters;
pub(crate) use emulation::is_emulated;
pub(crate) use line::Line;
#[cfg(test)]
pub(crate) use part::Sample;
pub(crate) use part::{Part, Subject};
