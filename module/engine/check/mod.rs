// SPDX-License-Identifier: GPL-2.0
//! Checks that run where the engine runs: the loops against their scalar twins, and their time.

pub mod bench;
mod made_up;
pub mod selftest;

/// Takes the first `length` entries off `memory`.
fn take<'a, T>(memory: &mut &'a mut [T], length: usize) -> Option<&'a mut [T]> {
    let (taken, rest) = core::mem::take(memory).split_at_mut_checked(length)?;
    *memory = rest;
    Some(taken)
}
