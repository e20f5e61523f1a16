// SPDX-License-Identifier: GPL-2.0
//! From logits to tokens: the numerics contract, section 9.
//!
//! Biases, penalties, DRY, top-n-sigma, top-k, typical, top-p, min-p, XTC, temperature, mirostat,
//! one draw; and the log-probability of a given token. Both are resumable machines over memory handed in.

mod adjustments;
mod allowed;
mod breakers;
pub mod candidate;
mod chain;
#[cfg(test)]
mod distributions;
mod draw;
mod dry;
mod dynamic_temperature;
mod gather;
pub mod generator;
mod heap;
pub mod log_sum_exp;
mod memory;
mod min_p;
mod mirostat;
pub mod parameters;
pub mod penalties;
mod ranges;
pub mod ranking;
mod ranks;
mod repetitions;
pub mod sampler;
pub mod score;
#[cfg(test)]
mod specification;
mod spread;
mod sum;
mod top_n_sigma;
mod top_p;
mod typical;
mod xtc;

pub use allowed::Allowed;
pub use breakers::Breakers;
pub use candidate::Candidate;
pub use generator::{Carried, Generator};
pub use memory::{Given, Memory};
pub use parameters::Parameters;
pub use ranges::{check_biases, check_breakers};
pub use sampler::Sampler;
pub use score::Score;

/// Ids summed in one segment of a log-sum-exp; also the least piece of work of a machine here.
pub const SEGMENT: usize = 512;

/// Logits looked at together.
pub(crate) const RUN: usize = 16;

/// What a machine says when it stops.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The budget is used up: call again.
    More,
    /// The result is there.
    Done,
}

/// Why a machine cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A logit is not finite.
    Numeric,
    /// An argument outside its range, or less memory than asked for.
    Argument,
}

/// Units of work left in a call.
pub(crate) struct Budget(usize);

impl Budget {
    /// A call with no budget still makes one step.
    pub(crate) fn new(units: u32) -> Self {
        Self((units as usize).max(1))
    }

    /// Whether another step may start.
    pub(crate) fn left(&self) -> bool {
        self.0 != 0
    }

    /// Takes the cost of a step, which may be more than what is left.
    pub(crate) fn spend(&mut self, units: usize) {
        self.0 = self.0.saturating_sub(units);
    }
}
