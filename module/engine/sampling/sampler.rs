// SPDX-License-Identifier: GPL-2.0
//! Draws the next token.

use super::adjustments::Adjustments;
use super::chain::Chain;
use super::gather::Gather;
use super::generator::Carried;
use super::memory::{Given, Memory};
use super::parameters::Parameters;
use super::ranks::{Kept, Ranks};
use super::{Budget, Fault, Progress};

/// What is being done.
#[derive(Clone, Copy)]
enum Phase {
    /// Making ready what changes logits.
    Prepare(Adjustments),
    /// One pass over the vocabulary.
    Gather(Gather),
    /// Dropping candidates, and drawing one of them.
    Chain(Ranks, Chain),
    /// The token is known.
    Finished(u32),
}

/// The machine; its memory is handed to each call.
#[derive(Clone, Copy)]
pub struct Sampler {
    parameters: Parameters,
    vocabulary: usize,
    phase: Phase,
}

impl Sampler {
    /// Starts.
    ///
    /// # Errors
    /// [`Fault::Argument`] for an empty vocabulary, too little memory or an unknown token.
    pub fn new(
        parameters: Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
    ) -> Result<Self, Fault> {
        let vocabulary = given.logits.len();
        if vocabulary == 0 || vocabulary != memory.candidates.len() {
            return Err(Fault::Argument);
        }
        let adjustments = Adjustments::new(&parameters, given, memory)?;
        Ok(Self {
            parameters,
            vocabulary,
            phase: Phase::Prepare(adjustments),
        })
    }

    /// Goes on for about `budget` candidates. The generator advances by one draw before `Done`,
    /// by two with XTC, by none when greedy.
    ///
    /// # Errors
    /// [`Fault::Numeric`] for a logit that is not finite; [`Fault::Argument`] for other memory, or
    /// when no token is left to draw.
    pub fn run(
        &mut self,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        budget: u32,
        carried: &mut Carried,
    ) -> Result<Progress, Fault> {
        if given.logits.len() != self.vocabulary || memory.candidates.len() != self.vocabulary {
            return Err(Fault::Argument);
        }
        let mut budget = Budget::new(budget);
        loop {
            if let Phase::Finished(_) = self.phase {
                return Ok(Progress::Done);
            }
            if self.step(given, memory, &mut budget, carried)? == Progress::More {
                return Ok(Progress::More);
            }
        }
    }

    /// After `Done`: the token.
    pub fn token(&self) -> u32 {
        match self.phase {
            Phase::Finished(token) => token,
            _ => 0,
        }
    }

    /// Goes on with what is being done, and starts what comes after it.
    fn step(
        &mut self,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
        carried: &mut Carried,
    ) -> Result<Progress, Fault> {
        match &mut self.phase {
            Phase::Prepare(adjustments) => {
                let progress = adjustments.prepare(&self.parameters, given, memory, budget);
                if progress == Progress::More {
                    return Ok(Progress::More);
                }
                let gather = Gather::new(&self.parameters, self.vocabulary, *adjustments);
                self.phase = Phase::Gather(gather);
            }
            Phase::Gather(gather) => {
                if gather.step(&self.parameters, given, memory, budget)? == Progress::More {
                    return Ok(Progress::More);
                }
                let mut ranks = gather.ranks(self.parameters.temperature);
                self.phase = if self.parameters.is_greedy() {
                    let candidates = &mut *memory.candidates;
                    let mut kept = Kept {
                        ranks: &mut ranks,
                        candidates,
                    };
                    Phase::Finished(kept.best()?.id())
                } else {
                    Phase::Chain(ranks, Chain::START)
                };
            }
            Phase::Chain(ranks, chain) => {
                let candidates = &mut *memory.candidates;
                let mut kept = Kept { ranks, candidates };
                match chain.step(&self.parameters, &mut kept, budget, carried)? {
                    Some(token) => self.phase = Phase::Finished(token),
                    None => return Ok(Progress::More),
                }
            }
            Phase::Finished(_) => {}
        }
        Ok(Progress::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{BIAS_BANNED, Bias, Sampling};
    use crate::sampling::generator::Generator;
    use crate::sampling::specification::{Case, FREE};

    fn draw(case: &Case<'_>, budget: u32) -> Result<u32, Fault> {
        case.draw(&mut Generator::new(1), budget)
    }

    #[test]
    fn ties_go_to_the_lowest_id() {
        let logits = [1.0, 2.0, 2.0, -0.0, 0.0];
        assert_eq!(draw(&Case::new(Sampling::GREEDY, &logits), 1), Ok(1));
        let equal = [0.0; 700];
        let one = Sampling { top_k: 1, ..FREE };
        assert_eq!(draw(&Case::new(one, &equal), 1), Ok(0));
        let typical = Sampling {
            typical_p: 1,
            ..FREE
        };
        assert!(draw(&Case::new(typical, &equal), 1).is_ok());
    }

    #[test]
    fn what_is_not_finite_or_not_there_is_an_error() {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 15, 16, 511, 512, 699] {
                let mut logits = [0.0; 700];
                logits[place] = wrong;
                for top_k in [0, 1, 40] {
                    let case = Case::new(Sampling { top_k, ..FREE }, &logits);
                    assert_eq!(draw(&case, 9), Err(Fault::Numeric));
                }
            }
        }
        assert_eq!(draw(&Case::new(FREE, &[]), 9), Err(Fault::Argument));
        let penalized = Sampling {
            repeat_penalty: 2_000_000,
            repeat_last: 9,
            ..FREE
        };
        let mut unknown = Case::new(penalized, &[0.0, 1.0]);
        unknown.history = &[2];
        assert_eq!(draw(&unknown, 9), Err(Fault::Argument));
    }

    #[test]
    fn extreme_logits_draw_something() {
        let logits = [f32::MAX, f32::MIN, 0.0];
        for temperature in [1, 100_000_000] {
            for typical_p in [1, 1_000_000] {
                let mut case = Case::new(
                    Sampling {
                        temperature,
                        typical_p,
                        ..FREE
                    },
                    &logits,
                );
                assert_eq!(draw(&case, 1), Ok(0));
                case.samplers.top_n_sigma = 1;
                case.samplers.dynatemp_range = 500_000;
                case.samplers.dynatemp_exponent = 100_000_000;
                case.samplers.mirostat = 2;
                assert_eq!(draw(&case, 1), Ok(0));
            }
        }
    }

    #[test]
    fn banned_tokens_are_never_drawn() {
        let logits: Vec<f32> = (0..1200).map(|id| (id % 7) as f32).collect();
        let ban = |ids: core::ops::Range<u32>| -> Vec<Bias> {
            let bias = BIAS_BANNED;
            ids.map(|id| Bias { id, bias }).collect()
        };
        for sampling in [Sampling::GREEDY, FREE, Sampling { top_k: 1, ..FREE }] {
            let mut case = Case::new(sampling, &logits);
            case.biases = ban(0..1199);
            assert_eq!(draw(&case, 1), Ok(1199), "whole segments are banned");
            case.biases = ban(1..1200);
            assert_eq!(draw(&case, 1), Ok(0));
            case.biases = ban(0..1200);
            assert_eq!(draw(&case, 1), Err(Fault::Argument), "nothing is left");
        }
    }

    #[test]
    fn a_bias_moves_the_best() {
        let mut case = Case::new(Sampling::GREEDY, &[1.0, 2.0, 3.0]);
        let bias = |id, bias| Bias { id, bias };
        case.biases = vec![bias(0, 2_500_000), bias(2, -1_500_000)];
        assert_eq!(draw(&case, 1), Ok(0));
    }
}
