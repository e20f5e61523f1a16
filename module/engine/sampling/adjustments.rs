// SPDX-License-Identifier: GPL-2.0
//! What changes logits before any candidate is dropped: biases, penalties, DRY, in this order.

use super::dry::Dry;
use super::memory::{Given, Memory};
use super::parameters::{Parameters, fraction};
use super::penalties::Penalties;
use super::{Budget, Fault, Progress};
use crate::abi::BIAS_BANNED;

/// All of them, given out by ascending id.
#[derive(Clone, Copy)]
pub(super) struct Adjustments {
    /// Biases that were applied.
    biases: usize,
    penalties: Penalties,
    dry: Dry,
}

impl Adjustments {
    /// Starts.
    ///
    /// # Errors
    /// [`Fault::Argument`] for too little memory or an unknown token.
    pub(super) fn new(
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
    ) -> Result<Self, Fault> {
        let (history, vocabulary) = (given.history, given.logits.len());
        let penalties = Penalties::new(parameters, history, vocabulary, memory.window);
        let dry = Dry::new(parameters, history.len(), memory.matches.len());
        Ok(Self {
            biases: 0,
            penalties: penalties.ok_or(Fault::Argument)?,
            dry: dry.ok_or(Fault::Argument)?,
        })
    }

    /// Goes on; `Done` when they can be given out.
    pub(super) fn prepare(
        &mut self,
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
    ) -> Progress {
        if !self.penalties.prepare(memory.window, budget) {
            return Progress::More;
        }
        self.dry.prepare(parameters, given, memory, budget)
    }

    /// The lowest id that was not adjusted yet.
    pub(super) fn lowest(&self, given: &Given<'_>, memory: &Memory<'_>) -> Option<u32> {
        let biased = given.biases.get(self.biases).map(|bias| bias.id);
        let penalized = self.penalties.lowest(memory.window);
        let repeated = self.dry.lowest(memory.matches);
        [biased, penalized, repeated].into_iter().flatten().min()
    }

    /// The logit of `id`, the lowest, when it is adjusted; `None` for a token that is banned or
    /// not allowed.
    pub(super) fn apply(
        &mut self,
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        id: u32,
        logit: f32,
    ) -> Option<f32> {
        let bias = given.biases.get(self.biases).filter(|bias| bias.id == id);
        if bias.is_some() {
            self.biases = self.biases.saturating_add(1);
        }
        let bias = bias.map_or(0, |bias| bias.bias);
        let logit = (logit + fraction(i64::from(bias))).clamp(f32::MIN, f32::MAX);
        let logit = self.penalties.apply(parameters, memory.window, id, logit);
        let logit = self.dry.apply(parameters, memory.matches, id, logit);
        (bias != BIAS_BANNED && given.allowed.contains(id)).then_some(logit)
    }
}
