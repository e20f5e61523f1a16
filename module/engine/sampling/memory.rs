// SPDX-License-Identifier: GPL-2.0
//! The memory of the machine that draws.

use super::candidate::Candidate;

/// Memory of the machine, the same in every call.
pub struct Memory<'a> {
    /// One per token of the vocabulary.
    pub logits: &'a [f32],
    /// At least min(repeat_last, history).
    pub window: &'a mut [u32],
    /// One per token of the vocabulary.
    pub candidates: &'a mut [Candidate],
}
