// SPDX-License-Identifier: GPL-2.0
//! Log-probabilities of a given token and of the most likely ones.

use super::candidate::Candidate;
use super::log_sum_exp::LogSumExp;
use super::ranking::Ranking;
use super::{Budget, Fault, Progress, SEGMENT};
use crate::math::finite::finite;

/// Most candidates reported; `SISLM_TOP_MAX`.
pub const TOP_MAX: usize = 64;

/// The machine; logits and candidates are handed to each call.
#[derive(Clone, Copy)]
pub struct Score {
    vocabulary: usize,
    next: usize,
    target: Option<u32>,
    ranking: Ranking,
    all: LogSumExp,
    /// The sum is complete; the ranking is being made ready.
    summed: bool,
}

impl Score {
    /// Starts: ln p of `target` and the `top` most likely tokens, at most [`TOP_MAX`].
    ///
    /// # Errors
    /// [`Fault::Argument`] for an empty vocabulary, a target outside it or too large a `top`.
    pub fn new(vocabulary: usize, target: Option<u32>, top: usize) -> Result<Self, Fault> {
        let known = target.is_none_or(|id| (id as usize) < vocabulary);
        if vocabulary == 0 || !known || top > TOP_MAX {
            return Err(Fault::Argument);
        }
        Ok(Self {
            vocabulary,
            next: 0,
            target,
            ranking: Ranking::new(top, vocabulary),
            all: LogSumExp::new(1.0),
            summed: false,
        })
    }

    /// Goes on for about `budget` ids; `candidates` holds min([`TOP_MAX`], vocabulary).
    ///
    /// # Errors
    /// [`Fault::Numeric`] for a logit that is not finite; [`Fault::Argument`] for other memory.
    pub fn run(
        &mut self,
        logits: &[f32],
        candidates: &mut [Candidate],
        budget: u32,
    ) -> Result<Progress, Fault> {
        if logits.len() != self.vocabulary || candidates.len() < TOP_MAX.min(self.vocabulary) {
            return Err(Fault::Argument);
        }
        let mut budget = Budget::new(budget);
        while !self.summed {
            if !budget.left() {
                return Ok(Progress::More);
            }
            self.scan(logits, candidates, &mut budget)?;
        }
        match self.ranking.prepare(candidates, &mut budget) {
            true => Ok(Progress::Done),
            false => Ok(Progress::More),
        }
    }

    /// One segment of the vocabulary.
    fn scan(
        &mut self,
        logits: &[f32],
        candidates: &mut [Candidate],
        budget: &mut Budget,
    ) -> Result<(), Fault> {
        let end = self.next.saturating_add(SEGMENT).min(self.vocabulary);
        let segment = logits.get(self.next..end).ok_or(Fault::Argument)?;
        if !finite(segment) {
            return Err(Fault::Numeric);
        }
        // CAST: A token id.
        #[expect(clippy::cast_possible_truncation)]
        let first = self.next as u32;
        self.ranking.offer_all(candidates, first, segment);
        self.all.add(segment.iter().copied());
        budget.spend(segment.len());
        self.next = end;
        if end == self.vocabulary {
            self.ranking.close();
            self.summed = true;
        }
        Ok(())
    }

    /// After `Done`: ln p of the target in millionths; 0 without one.
    pub fn target(&self, logits: &[f32]) -> i32 {
        let logit = self.target.and_then(|id| logits.get(id as usize));
        logit.map_or(0, |&logit| self.millionths(logit))
    }

    /// After `Done`: the candidate of a rank below `top` and its ln p in millionths.
    pub fn top(&mut self, candidates: &mut [Candidate], rank: usize) -> Option<(u32, i32)> {
        let candidate = self.ranking.get(candidates, rank)?;
        Some((candidate.id(), self.millionths(candidate.logit())))
    }

    /// ln p, rounded to the nearest millionth (ties to even), not below `i32::MIN`.
    // CAST: A whole number from `i32::MIN` to 0.
    #[expect(clippy::cast_possible_truncation)]
    fn millionths(&self, logit: f32) -> i32 {
        /// Adding and subtracting it rounds to an integer.
        const ROUND: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
        let scaled = (f64::from(logit) - self.all.value()) * 1e6;
        let bounded = scaled.clamp(f64::from(i32::MIN), 0.0);
        (bounded + ROUND - ROUND) as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::generator::Generator;

    fn score(
        logits: &[f32],
        target: Option<u32>,
        top: usize,
        budget: u32,
    ) -> (i32, Vec<(u32, i32)>) {
        let mut candidates = vec![Candidate::new(0.0, 0); TOP_MAX.min(logits.len())];
        let mut score = Score::new(logits.len(), target, top).unwrap();
        while score.run(logits, &mut candidates, budget).unwrap() == Progress::More {}
        let list = (0..top)
            .map_while(|rank| score.top(&mut candidates, rank))
            .collect();
        (score.target(logits), list)
    }

    #[test]
    fn agrees_with_a_plain_softmax_at_any_budget() {
        let mut generator = Generator::new(3);
        for vocabulary in [1usize, 2, 63, 64, 65, 511, 512, 513, 1500] {
            let logits: Vec<f32> = (0..vocabulary)
                .map(|_| generator.uniform() as f32 * 30.0 - 9.0)
                .collect();
            let sum = logits.iter().map(|&l| f64::from(l).exp()).sum::<f64>().ln();
            let expected = |id: u32| ((f64::from(logits[id as usize]) - sum) * 1e6).round() as i32;
            for top in [0, 1, 10, 64] {
                let (target, list) = score(&logits, Some(0), top, u32::MAX);
                assert!((target - expected(0)).abs() <= 1);
                assert_eq!(list.len(), top.min(vocabulary));
                for pair in list.windows(2) {
                    assert!(pair[0].1 >= pair[1].1);
                }
                for &(id, log_probability) in &list {
                    assert!((log_probability - expected(id)).abs() <= 1);
                }
                assert_eq!(score(&logits, Some(0), top, 1), (target, list));
            }
        }
    }

    #[test]
    fn far_logits_saturate() {
        assert_eq!(
            score(&[f32::MAX, f32::MIN], Some(1), 1, 1),
            (i32::MIN, vec![(0, 0)])
        );
        assert_eq!(score(&[0.0, -5000.0], Some(1), 0, 1), (i32::MIN, vec![]));
    }

    #[test]
    fn what_is_not_finite_or_not_there_is_an_error() {
        let mut candidates = [Candidate::new(0.0, 0); 3];
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut score = Score::new(3, None, 1).unwrap();
            let result = score.run(&[0.0, 1.0, wrong], &mut candidates, 9);
            assert_eq!(result, Err(Fault::Numeric));
        }
        assert_eq!(Score::new(3, Some(3), 1).err(), Some(Fault::Argument));
        assert_eq!(Score::new(3, None, 65).err(), Some(Fault::Argument));
        assert_eq!(Score::new(0, None, 0).err(), Some(Fault::Argument));
    }
}
