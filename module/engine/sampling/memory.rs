// SPDX-License-Identifier: GPL-2.0
//! What the machine that draws is given, and the memory that it works in.

use super::allowed::Allowed;
use super::breakers::Breakers;
use super::candidate::Candidate;
use crate::abi::Bias;

/// What a draw depends on beside the parameters, the same in every call.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// One per token of the vocabulary.
    pub logits: &'a [f32],
    /// The tokens of the context, oldest first.
    pub history: &'a [u32],
    /// Checked biases, by ascending id.
    pub biases: &'a [Bias],
    /// What DRY's repetitions do not reach across; `None` for nothing.
    pub breakers: Option<Breakers<'a>>,
    /// What may be drawn.
    pub allowed: Allowed<'a>,
}

/// Memory of the machine, the same in every call.
pub struct Memory<'a> {
    /// At least min(repeat_last, history).
    pub window: &'a mut [u32],
    /// At least min(dry_last, history).
    pub matches: &'a mut [u64],
    /// One per token of the vocabulary.
    pub candidates: &'a mut [Candidate],
    /// Room for the text of a token.
    pub text: &'a mut [u8],
}
