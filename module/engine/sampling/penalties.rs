// SPDX-License-Identifier: GPL-2.0
//! Penalties on tokens that occurred (Keskar et al. 2019, section 4.1; presence and frequency as
//! in llama.cpp).

use super::Budget;
use super::heap::{pop, sift_down};
use super::parameters::Parameters;

/// The tokens looked back at, given out by ascending id together with their number.
///
/// Memory: `window` holds them as a heap of complemented ids, so that the lowest id is on top.
#[derive(Clone, Copy)]
pub struct Penalties {
    held: usize,
    /// Roots still to be sifted.
    roots: usize,
}

impl Penalties {
    /// Takes the last `repeat_last` tokens of `history`; `None` when `window` is too short for
    /// them or a token is not below `vocabulary`.
    pub fn new(
        parameters: &Parameters,
        history: &[u32],
        vocabulary: usize,
        window: &mut [u32],
    ) -> Option<Self> {
        if !parameters.penalizes() {
            return Some(Self { held: 0, roots: 0 });
        }
        let first = history
            .len()
            .saturating_sub(parameters.repeat_last as usize);
        let tokens = history.get(first..)?;
        let window = window.get_mut(..tokens.len())?;
        for (slot, &token) in window.iter_mut().zip(tokens) {
            if token as usize >= vocabulary {
                return None;
            }
            *slot = !token;
        }
        Some(Self {
            held: tokens.len(),
            roots: tokens.len() / 2,
        })
    }

    /// Orders the window; true when that is done.
    pub(crate) fn prepare(&mut self, window: &mut [u32], budget: &mut Budget) -> bool {
        let Some(heap) = window.get_mut(..self.held) else {
            return true;
        };
        while let Some(root) = self.roots.checked_sub(1) {
            if !budget.left() {
                return false;
            }
            sift_down(heap, root);
            self.roots = root;
            budget.spend(1);
        }
        true
    }

    /// The lowest id whose penalties were not applied yet, once the window is ordered.
    pub(crate) fn lowest(&self, window: &[u32]) -> Option<u32> {
        window.get(..self.held)?.first().map(|token| !token)
    }

    /// The logit of `id` after its penalties; ids must be asked for in ascending order, those of
    /// the window without exception.
    #[inline(always)]
    pub fn apply(
        &mut self,
        parameters: &Parameters,
        window: &mut [u32],
        id: u32,
        logit: f32,
    ) -> f32 {
        let mut count = 0u32;
        while let Some(heap) = window.get_mut(..self.held)
            && heap.first() == Some(&!id)
        {
            pop(heap);
            self.held = self.held.saturating_sub(1);
            count = count.saturating_add(1);
        }
        if count == 0 {
            logit
        } else {
            penalize(parameters, logit, count)
        }
    }
}

/// One rounding for each operation; what overflows stays at the largest finite number.
fn penalize(parameters: &Parameters, logit: f32, count: u32) -> f32 {
    let repeated = if logit <= 0.0 {
        logit * parameters.repeat_penalty
    } else {
        logit / parameters.repeat_penalty
    };
    let subtracted = count as f32 * parameters.frequency_penalty + parameters.presence_penalty;
    let penalized = repeated.clamp(f32::MIN, f32::MAX) - subtracted;
    penalized.clamp(f32::MIN, f32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::{Samplers, Sampling};

    fn parameters(repeat: f32, last: u32, presence: f32, frequency: f32) -> Parameters {
        Parameters {
            repeat_penalty: repeat,
            repeat_last: last,
            presence_penalty: presence,
            frequency_penalty: frequency,
            ..Parameters::new(&Sampling::GREEDY, &Samplers::OFF).unwrap()
        }
    }

    fn apply_all(parameters: &Parameters, history: &[u32], logits: &[f32]) -> Vec<f32> {
        let mut window = vec![0; history.len()];
        let mut penalties = Penalties::new(parameters, history, logits.len(), &mut window).unwrap();
        assert!(penalties.prepare(&mut window, &mut Budget::new(u32::MAX)));
        logits
            .iter()
            .enumerate()
            .map(|(id, &logit)| penalties.apply(parameters, &mut window, id as u32, logit))
            .collect()
    }

    #[test]
    fn positive_is_divided_and_negative_multiplied_once() {
        let result = apply_all(
            &parameters(2.0, 9, 0.0, 0.0),
            &[2, 1, 2, 2],
            &[4.0, -4.0, 4.0],
        );
        assert_eq!(result, [4.0, -8.0, 2.0]);
    }

    #[test]
    fn presence_counts_once_and_frequency_each_time() {
        let result = apply_all(
            &parameters(1.0, 9, 0.5, 0.25),
            &[2, 0, 2, 2],
            &[1.0, 1.0, 1.0],
        );
        assert_eq!(result, [0.25, 1.0, -0.25]);
    }

    #[test]
    fn only_the_last_tokens_are_looked_at() {
        let result = apply_all(&parameters(2.0, 2, 0.0, 0.0), &[0, 1, 2], &[1.0, 1.0, 1.0]);
        assert_eq!(result, [1.0, 0.5, 0.5]);
        let none = apply_all(&parameters(2.0, 0, 9.0, 9.0), &[0, 1, 2], &[1.0, 1.0, 1.0]);
        assert_eq!(none, [1.0, 1.0, 1.0]);
    }

    #[test]
    fn stays_finite() {
        let result = apply_all(&parameters(100.0, 9, 0.0, 0.0), &[0, 1], &[f32::MIN, 0.0]);
        assert_eq!(result, [f32::MIN, 0.0]);
    }

    #[test]
    fn a_token_outside_the_vocabulary_is_refused() {
        let mut window = [0; 4];
        assert!(Penalties::new(&parameters(2.0, 9, 0.0, 0.0), &[3], 3, &mut window).is_none());
        assert!(Penalties::new(&parameters(2.0, 9, 0.0, 0.0), &[0; 5], 3, &mut window).is_none());
    }
}
