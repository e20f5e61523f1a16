// SPDX-License-Identifier: GPL-2.0
//! How long the end of a text occurred before: the Z algorithm (Gusfield 1997, section 1.3) over
//! the text read backwards.

use super::{Budget, Progress};

/// The lengths found so far.
#[derive(Clone, Copy)]
pub(super) struct Repetitions {
    /// The age that is looked at: so many tokens before the end.
    age: usize,
    /// The age whose repetition reaches furthest back.
    furthest: usize,
    /// Where that one begins.
    reach: usize,
    /// Equal tokens of this age, while they are counted.
    counted: Option<usize>,
}

impl Repetitions {
    /// Nothing is found yet.
    pub(super) const START: Self = Self {
        age: 1,
        furthest: 0,
        reach: 0,
        counted: None,
    };

    /// Goes on, about one comparison a unit. After `Done`, `lengths[age]` for ages from 1 on is the
    /// number of tokens before and with the one of this age that equal the last tokens.
    pub(super) fn step(
        &mut self,
        tokens: &[u32],
        lengths: &mut [u64],
        budget: &mut Budget,
    ) -> Progress {
        while self.age < tokens.len() {
            if !budget.left() {
                return Progress::More;
            }
            budget.spend(1);
            let counted = self.counted.unwrap_or_else(|| self.known(lengths));
            let reach = self.age.saturating_add(counted);
            if reach >= self.reach && equal(tokens, counted, reach) {
                self.counted = Some(counted.saturating_add(1));
                continue;
            }
            if reach > self.reach {
                self.furthest = self.age;
                self.reach = reach;
            }
            if let Some(length) = lengths.get_mut(self.age) {
                *length = counted as u64;
            }
            self.counted = None;
            self.age = self.age.saturating_add(1);
        }
        Progress::Done
    }

    /// The tokens that are equal by what is known of the furthest repetition.
    fn known(&self, lengths: &[u64]) -> usize {
        let left = self.reach.saturating_sub(self.age);
        let same = lengths.get(self.age.saturating_sub(self.furthest));
        match same {
            // CAST: A count of tokens, as it was put in.
            #[expect(clippy::cast_possible_truncation)]
            Some(&same) if left != 0 => (same as usize).min(left),
            _ => 0,
        }
    }
}

/// Whether the tokens of two ages are there and equal.
fn equal(tokens: &[u32], one: usize, other: usize) -> bool {
    let of = |age: usize| tokens.get(tokens.len().checked_sub(age.checked_add(1)?)?);
    of(one).is_some() && of(one) == of(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::generator::Generator;

    fn lengths(tokens: &[u32], budget: u32) -> Vec<u64> {
        let mut lengths = vec![0; tokens.len()];
        let mut repetitions = Repetitions::START;
        while repetitions.step(tokens, &mut lengths, &mut Budget::new(budget)) == Progress::More {}
        lengths.drain(..lengths.len().min(1));
        lengths
    }

    #[test]
    fn equals_a_plain_count_at_any_budget() {
        let mut generator = Generator::new(8);
        for round in 0..2000 {
            let kinds = 1 + round % 4;
            let tokens: Vec<u32> = (0..generator.draw() % 40)
                .map(|_| generator.draw() % kinds)
                .collect();
            let expected: Vec<u64> = (1..tokens.len())
                .map(|age| {
                    let earlier = tokens.iter().rev().skip(age);
                    let pairs = tokens.iter().rev().zip(earlier);
                    pairs.take_while(|(one, other)| one == other).count() as u64
                })
                .collect();
            assert_eq!(lengths(&tokens, u32::MAX), expected, "{tokens:?}");
            assert_eq!(lengths(&tokens, 1), expected, "{tokens:?}");
        }
    }

    #[test]
    fn takes_linear_time() {
        for tokens in [vec![7; 5000], (0..5000).map(|i| i % 3 / 2).collect()] {
            let (mut lengths, mut calls) = (vec![0; tokens.len()], 0);
            let mut repetitions = Repetitions::START;
            while repetitions.step(&tokens, &mut lengths, &mut Budget::new(1)) == Progress::More {
                calls += 1;
            }
            assert!(calls <= 2 * tokens.len(), "{calls}");
        }
    }
}
