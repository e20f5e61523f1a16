// SPDX-License-Identifier: GPL-2.0
//! DRY ("don't repeat yourself", p-e-w 2024): a token that would make a repetition longer is
//! penalized, the more the longer that is already.

use super::breakers::Breakers;
use super::heap::{pop, sift_down};
use super::memory::{Given, Memory};
use super::parameters::Parameters;
use super::repetitions::Repetitions;
use super::{Budget, Progress};
use crate::math::double::pow64;

/// What is being done.
#[derive(Clone, Copy)]
enum Phase {
    /// Looking for the last sequence breaker, from the end of the window on.
    Limit,
    /// Measuring what the end of the window repeats.
    Measure(Repetitions),
    /// Keeping what is long enough, by the token that would go on with it.
    Keep { next: usize },
    /// Making a heap of it.
    Order { roots: usize },
    /// The penalties can be given out.
    Ordered,
}

/// The penalties, given out by ascending id.
///
/// Memory: `matches` first holds the lengths of the repetitions by their age; then a heap of
/// (complemented token, length), so that the lowest token's longest one is on top.
#[derive(Clone, Copy)]
pub(super) struct Dry {
    phase: Phase,
    /// Tokens looked back at.
    window: usize,
    /// Tokens that a repetition may have.
    limit: usize,
    held: usize,
}

impl Dry {
    /// Starts; `None` when `matches` is too short for the tokens looked back at.
    pub(super) fn new(parameters: &Parameters, history: usize, matches: usize) -> Option<Self> {
        let off = Self {
            phase: Phase::Ordered,
            window: 0,
            limit: 0,
            held: 0,
        };
        if parameters.dry_multiplier == 0.0 {
            return Some(off);
        }
        let window = history.min(parameters.dry_last as usize);
        (window <= matches).then_some(Self {
            phase: Phase::Limit,
            window,
            ..off
        })
    }

    /// Goes on; `Done` when penalties can be given out.
    pub(super) fn prepare(
        &mut self,
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
    ) -> Progress {
        let first = given.history.len().saturating_sub(self.window);
        let window = given.history.get(first..).unwrap_or(&[]);
        while budget.left() {
            match &mut self.phase {
                Phase::Limit => self.find_breaker(given.breakers, window, memory, budget),
                Phase::Measure(repetitions) => {
                    if repetitions.step(window, memory.matches, budget) == Progress::Done {
                        self.phase = Phase::Keep { next: 1 };
                    }
                }
                Phase::Keep { next } => {
                    let age = *next;
                    *next = age.saturating_add(1);
                    budget.spend(1);
                    self.keep(parameters, given.breakers, window, memory, age, budget);
                }
                Phase::Order { roots } => match roots.checked_sub(1) {
                    Some(root) => {
                        *roots = root;
                        budget.spend(1);
                        let heap = memory.matches.get_mut(..self.held).unwrap_or_default();
                        sift_down(heap, root);
                    }
                    None => self.phase = Phase::Ordered,
                },
                Phase::Ordered => return Progress::Done,
            }
        }
        match self.phase {
            Phase::Ordered => Progress::Done,
            _ => Progress::More,
        }
    }

    /// Looks at one more token from the end: no repetition reaches across a breaker.
    fn find_breaker(
        &mut self,
        breakers: Option<Breakers<'_>>,
        window: &[u32],
        memory: &mut Memory<'_>,
        budget: &mut Budget,
    ) {
        let left = window.len().saturating_sub(self.limit);
        let found = match window.get(..left).and_then(<[u32]>::split_last) {
            Some((&token, before)) => breakers
                .filter(|breakers| !breakers.is_empty())
                .map(|breakers| breakers.end_in(before, token, memory.text, budget)),
            None => None,
        };
        match found {
            Some(false) => {
                budget.spend(1);
                self.limit = self.limit.saturating_add(1);
            }
            Some(true) => self.phase = Phase::Measure(Repetitions::START),
            // Nothing breaks a repetition.
            None => {
                self.limit = window.len();
                self.phase = Phase::Measure(Repetitions::START);
            }
        }
    }

    /// Takes the repetition of one age: it ends with a token, which another follows.
    fn keep(
        &mut self,
        parameters: &Parameters,
        breakers: Option<Breakers<'_>>,
        window: &[u32],
        memory: &mut Memory<'_>,
        age: usize,
        budget: &mut Budget,
    ) {
        let (Some(&length), Some(&token)) = (
            memory.matches.get(age).filter(|_| age < window.len()),
            window.get(window.len().wrapping_sub(age)),
        ) else {
            self.phase = Phase::Order {
                roots: self.held / 2,
            };
            return;
        };
        let length = length.min(self.limit as u64);
        if length < u64::from(parameters.dry_allowed_length) {
            return;
        }
        if !breakers.is_some_and(|all| all.end_in(&[], token, memory.text, budget)) {
            // Not yet read: fewer are kept than were looked at.
            if let Some(slot) = memory.matches.get_mut(self.held) {
                *slot = (u64::from(!token) << 32) | length;
                self.held = self.held.saturating_add(1);
            }
        }
    }

    /// The lowest token whose penalty was not applied yet, once they are ordered.
    pub(super) fn lowest(&self, matches: &[u64]) -> Option<u32> {
        let top = matches.get(..self.held)?.first()?;
        Some(!((top >> 32) as u32))
    }

    /// The logit of `id` after its penalty; ids must be asked for in ascending order, those of
    /// [`Dry::lowest`] without exception.
    pub(super) fn apply(
        &mut self,
        parameters: &Parameters,
        matches: &mut [u64],
        id: u32,
        logit: f32,
    ) -> f32 {
        let mut longest = None;
        while let Some(heap) = matches.get_mut(..self.held)
            && self.lowest(heap) == Some(id)
        {
            let top = pop(heap);
            longest = longest.or(top);
            self.held = self.held.saturating_sub(1);
        }
        match longest {
            // CAST: The length is in the lower half.
            #[expect(clippy::cast_possible_truncation)]
            Some(top) => penalize(parameters, logit, top as u32),
            None => logit,
        }
    }
}

/// logit - multiplier * base^(length - allowed length) in binary64, rounded once, and finite.
fn penalize(parameters: &Parameters, logit: f32, length: u32) -> f32 {
    let excess = length.saturating_sub(parameters.dry_allowed_length);
    let power = pow64(f64::from(parameters.dry_base), f64::from(excess));
    let penalized = f64::from(logit) - f64::from(parameters.dry_multiplier) * power;
    // CAST: Rounds to the nearest; to infinity what is too large.
    #[expect(clippy::cast_possible_truncation)]
    let penalized = penalized as f32;
    penalized.clamp(f32::MIN, f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Samplers, Sampling};
    use crate::sampling::Allowed;
    use crate::tokenizer::Vocabulary;
    use crate::tokenizer::testing::{PIECES, sentence_piece, tables};

    /// The lengths of the repetitions that tokens would make longer, by token: those that are
    /// penalized. 3 is a line end, 5 to 7 are a, b, c.
    fn repeated(history: &[u32], last: u32, allowed: u32, breaker: &[u8]) -> Vec<(u32, u32)> {
        let mut samplers = Samplers {
            dry_multiplier: 1_000_000,
            dry_base: 2_000_000,
            dry_allowed_length: allowed,
            dry_last: last,
            ..Samplers::OFF
        };
        if !breaker.is_empty() {
            samplers.breaker_count = 1;
            samplers.breaker_length[0] = breaker.len() as u32;
            samplers.breaker[0][..breaker.len()].copy_from_slice(breaker);
        }
        let parameters = Parameters::new(&Sampling::GREEDY, &samplers).unwrap();
        let tables = tables(&sentence_piece(PIECES));
        let vocabulary = Vocabulary::view(&tables).unwrap();
        let given = Given {
            logits: &[0.0; 19],
            history,
            biases: &[],
            breakers: Some(Breakers::new(&samplers, vocabulary)),
            allowed: Allowed::ALL,
        };
        let mut memory = Memory {
            window: &mut [],
            matches: &mut vec![0; history.len()],
            candidates: &mut [],
            text: &mut [0; 1024],
        };
        let mut dry = Dry::new(&parameters, history.len(), history.len()).unwrap();
        while dry.prepare(&parameters, &given, &mut memory, &mut Budget::new(1)) == Progress::More {
        }
        let mut all = Vec::new();
        while let Some(token) = dry.lowest(memory.matches) {
            let logit = dry.apply(&parameters, memory.matches, token, 0.0);
            all.push((token, allowed + logit.abs().log2() as u32));
        }
        all
    }

    #[test]
    fn the_longest_repetition_of_a_token_counts() {
        // After 5 6 came 7 and 8; 9 5 6 stood before 8 only.
        let history = [5, 6, 7, 9, 5, 6, 8, 7, 9, 5, 6];
        assert_eq!(repeated(&history, 99, 2, b""), [(7, 2), (8, 4)]);
        assert_eq!(repeated(&history, 99, 3, b""), [(8, 4)]);
        assert_eq!(repeated(&history, 99, 5, b""), []);
        assert_eq!(repeated(&history, 8, 2, b""), [(8, 3)], "no further back");
        assert_eq!(repeated(&history, 0, 0, b""), []);
    }

    #[test]
    fn a_repetition_ends_at_a_breaker() {
        let history = [5, 3, 6, 7, 8, 5, 3, 6, 7];
        assert_eq!(repeated(&history, 99, 1, b""), [(8, 4)]);
        assert_eq!(repeated(&history, 99, 1, b"\n"), [(8, 2)]);
        assert_eq!(repeated(&history, 99, 3, b"\n"), []);
        assert_eq!(repeated(&history, 99, 1, b"bc"), [], "across two tokens");
    }

    #[test]
    fn a_breaker_is_not_penalized() {
        let history = [6, 7, 3, 6, 7];
        assert_eq!(repeated(&history, 99, 1, b""), [(3, 2)]);
        assert_eq!(repeated(&history, 99, 1, b"\n"), []);
    }

    #[test]
    fn memory_that_is_too_short_is_refused() {
        let samplers = Samplers {
            dry_multiplier: 1,
            dry_base: 1_000_000,
            dry_last: 8,
            ..Samplers::OFF
        };
        let parameters = Parameters::new(&Sampling::GREEDY, &samplers).unwrap();
        assert!(Dry::new(&parameters, 9, 7).is_none());
        assert!(Dry::new(&parameters, 9, 8).is_some());
    }

    #[test]
    fn penalties_stay_finite() {
        let samplers = Samplers {
            dry_multiplier: 100_000_000,
            dry_base: 100_000_000,
            ..Samplers::OFF
        };
        let parameters = Parameters::new(&Sampling::GREEDY, &samplers).unwrap();
        assert_eq!(penalize(&parameters, 1.0, u32::MAX), f32::MIN);
        assert_eq!(penalize(&parameters, 1.0, 0), -99.0);
    }
}
