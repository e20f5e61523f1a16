// SPDX-License-Identifier: GPL-2.0
//! Draws the next token.

use super::chain::Chain;
use super::gather::Gather;
use super::generator::Generator;
use super::memory::Memory;
use super::parameters::Parameters;
use super::penalties::Penalties;
use super::ranks::{Kept, Ranks};
use super::{Budget, Fault, Progress};

/// What is being done.
#[derive(Clone, Copy)]
enum Phase {
    /// Ordering the tokens looked back at.
    Window(Penalties),
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
    /// Starts; `history` holds the tokens of the context, oldest first.
    ///
    /// # Errors
    /// [`Fault::Argument`] for an empty vocabulary, too little memory or an unknown token.
    pub fn new(
        parameters: Parameters,
        memory: &mut Memory<'_>,
        history: &[u32],
    ) -> Result<Self, Fault> {
        let vocabulary = memory.logits.len();
        if vocabulary == 0 || vocabulary != memory.candidates.len() {
            return Err(Fault::Argument);
        }
        let penalties = Penalties::new(&parameters, history, vocabulary, memory.window)
            .ok_or(Fault::Argument)?;
        Ok(Self {
            parameters,
            vocabulary,
            phase: Phase::Window(penalties),
        })
    }

    /// Goes on for about `budget` candidates. The generator advances by one draw before `Done`,
    /// by none when greedy.
    ///
    /// # Errors
    /// [`Fault::Numeric`] for a logit that is not finite; [`Fault::Argument`] for other memory.
    pub fn run(
        &mut self,
        memory: &mut Memory<'_>,
        budget: u32,
        generator: &mut Generator,
    ) -> Result<Progress, Fault> {
        if memory.logits.len() != self.vocabulary || memory.candidates.len() != self.vocabulary {
            return Err(Fault::Argument);
        }
        let mut budget = Budget::new(budget);
        loop {
            if let Phase::Finished(_) = self.phase {
                return Ok(Progress::Done);
            }
            if self.step(memory, &mut budget, generator)? == Progress::More {
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
        memory: &mut Memory<'_>,
        budget: &mut Budget,
        generator: &mut Generator,
    ) -> Result<Progress, Fault> {
        match &mut self.phase {
            Phase::Window(penalties) => {
                if !penalties.prepare(memory.window, budget) {
                    return Ok(Progress::More);
                }
                let gather = Gather::new(&self.parameters, self.vocabulary, *penalties);
                self.phase = Phase::Gather(gather);
            }
            Phase::Gather(gather) => {
                if gather.step(&self.parameters, memory, budget)? == Progress::More {
                    return Ok(Progress::More);
                }
                let mut ranks = gather.ranks();
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
                match chain.step(&self.parameters, &mut kept, budget, generator)? {
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
    use crate::abi::Sampling;
    use crate::sampling::specification::{Case, FREE};

    #[test]
    fn frequencies_are_the_probabilities() {
        let logits: Vec<f32> = [0.5f32, 0.3, 0.15, 0.05].iter().map(|p| p.ln()).collect();
        let case = Case {
            sampling: FREE,
            logits: &logits,
            history: &[],
        };
        let mut generator = Generator::new(1);
        let mut counts = [0u32; 4];
        for _ in 0..20_000 {
            counts[case.draw(&mut generator, 1000).unwrap() as usize] += 1;
        }
        for (count, p) in counts.into_iter().zip([0.5, 0.3, 0.15, 0.05]) {
            assert!(
                (f64::from(count) / 20_000.0 - p).abs() < 0.012,
                "{counts:?}"
            );
        }
    }

    #[test]
    fn ties_go_to_the_lowest_id() {
        let greedy = Sampling {
            temperature: 0,
            ..FREE
        };
        let logits = [1.0, 2.0, 2.0, -0.0, 0.0];
        let mut generator = Generator::new(1);
        let case = Case {
            sampling: greedy,
            logits: &logits,
            history: &[],
        };
        assert_eq!(case.draw(&mut generator, 1), Ok(1));
        let equal = [0.0; 700];
        let one = Sampling { top_k: 1, ..FREE };
        let case = Case {
            sampling: one,
            logits: &equal,
            history: &[],
        };
        assert_eq!(case.draw(&mut generator, 1), Ok(0));
        let typical = Sampling {
            typical_p: 1,
            ..FREE
        };
        let case = Case {
            sampling: typical,
            logits: &equal,
            history: &[],
        };
        assert!(case.draw(&mut generator, 1).is_ok());
    }

    #[test]
    fn what_is_not_finite_or_not_there_is_an_error() {
        let mut generator = Generator::new(1);
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for place in [0, 15, 16, 511, 512, 699] {
                let mut logits = [0.0; 700];
                logits[place] = wrong;
                for top_k in [0, 1, 40] {
                    let case = Case {
                        sampling: Sampling { top_k, ..FREE },
                        logits: &logits,
                        history: &[],
                    };
                    assert_eq!(case.draw(&mut generator, 9), Err(Fault::Numeric));
                }
            }
        }
        let empty = Case {
            sampling: FREE,
            logits: &[],
            history: &[],
        };
        assert_eq!(empty.draw(&mut generator, 9), Err(Fault::Argument));
        let penalized = Sampling {
            repeat_penalty: 2_000_000,
            repeat_last: 9,
            ..FREE
        };
        let unknown = Case {
            sampling: penalized,
            logits: &[0.0, 1.0],
            history: &[2],
        };
        assert_eq!(unknown.draw(&mut generator, 9), Err(Fault::Argument));
    }

    #[test]
    fn extreme_logits_draw_something() {
        let mut generator = Generator::new(1);
        let logits = [f32::MAX, f32::MIN, 0.0];
        for temperature in [1, 100_000_000] {
            for typical_p in [1, 1_000_000] {
                let sampling = Sampling {
                    temperature,
                    typical_p,
                    ..FREE
                };
                let case = Case {
                    sampling,
                    logits: &logits,
                    history: &[],
                };
                assert_eq!(case.draw(&mut generator, 1), Ok(0));
            }
        }
    }
}
