// SPDX-License-Identifier: GPL-2.0
//! One pass over the vocabulary: adjusted logits, the best k of them, and the sum and the variance
//! of all where they are needed.

use super::adjustments::Adjustments;
use super::candidate::Candidate;
use super::log_sum_exp::LogSumExp;
use super::memory::{Given, Memory};
use super::parameters::Parameters;
use super::ranking::Ranking;
use super::ranks::Ranks;
use super::spread::Spread;
use super::{Budget, Fault, Progress, SEGMENT};
use crate::math::finite::finite;

/// The id `count` after `id`, which are fewer than the vocabulary has.
#[expect(clippy::cast_possible_truncation)]
fn next(id: u32, count: usize) -> u32 {
    id.wrapping_add(count as u32)
}

/// The pass.
#[derive(Clone, Copy)]
pub(super) struct Gather {
    /// Next id.
    next: usize,
    adjustments: Adjustments,
    ranking: Ranking,
    /// Over the whole vocabulary, at temperature 1 for top-p and at its own for a free draw.
    all: LogSumExp,
    temperature: f32,
    /// Whether that sum is needed: only when nothing is dropped before it is used.
    sums: bool,
    /// Over the whole vocabulary, where it is needed.
    spread: Option<Spread>,
}

impl Gather {
    /// Starts, with adjustments that can be given out.
    pub(super) fn new(
        parameters: &Parameters,
        vocabulary: usize,
        adjustments: Adjustments,
    ) -> Self {
        let kept = match (parameters.is_greedy(), parameters.top_k) {
            (true, _) => 1,
            (false, 0) => vocabulary,
            (false, k) => k as usize,
        };
        let ranking = Ranking::new(kept, vocabulary);
        let temperature = if parameters.top_p < 1.0 {
            1.0
        } else {
            parameters.temperature
        };
        let sums = ranking.keeps_all()
            && parameters.top_n_sigma <= 0.0
            && parameters.typical_p >= 1.0
            && (parameters.top_p < 1.0 || parameters.draws_freely());
        let spread = (parameters.top_n_sigma > 0.0).then_some(Spread::NONE);
        Self {
            next: 0,
            adjustments,
            ranking,
            all: LogSumExp::new(temperature),
            temperature,
            sums,
            spread,
        }
    }

    /// Goes on, segment by segment, then makes the ranking ready.
    ///
    /// # Errors
    /// [`Fault::Numeric`] for a logit that is not finite; [`Fault::Argument`] for other memory.
    pub(super) fn step(
        &mut self,
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
    ) -> Result<Progress, Fault> {
        let vocabulary = given.logits.len();
        while self.next < vocabulary {
            if !budget.left() {
                return Ok(Progress::More);
            }
            let end = self.next.saturating_add(SEGMENT).min(vocabulary);
            self.segment(parameters, given, memory, end)?;
            budget.spend(end.saturating_sub(self.next));
            self.next = end;
            if end == vocabulary {
                self.ranking.close();
            }
        }
        match self.ranking.prepare(memory.candidates, budget) {
            true => Ok(Progress::Done),
            false => Ok(Progress::More),
        }
    }

    /// The ids from the next on that are below `end`.
    fn segment(
        &mut self,
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        end: usize,
    ) -> Result<(), Fault> {
        let segment = given.logits.get(self.next..end).ok_or(Fault::Argument)?;
        if !finite(segment) {
            return Err(Fault::Numeric);
        }
        let held = self.ranking.len();
        self.offer(parameters, given, memory, segment)
            .ok_or(Fault::Argument)?;
        // All of a segment may be banned.
        if self.sums && self.ranking.len() != held {
            let gathered = memory.candidates.get(held..self.ranking.len());
            let gathered = gathered.ok_or(Fault::Argument)?;
            self.all
                .add(gathered.iter().map(|candidate| candidate.logit()));
        }
        Ok(())
    }

    /// Offers the logits from the next id on, cut at those that are adjusted.
    fn offer(
        &mut self,
        parameters: &Parameters,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        segment: &[f32],
    ) -> Option<()> {
        // CAST: A token id.
        #[expect(clippy::cast_possible_truncation)]
        let (mut first, mut rest) = (self.next as u32, segment);
        while let Some(id) = self.adjustments.lowest(given, memory) {
            let Some((free, others)) = rest.split_at_checked(id.checked_sub(first)? as usize)
            else {
                break;
            };
            let Some((&logit, others)) = others.split_first() else {
                break;
            };
            self.offer_all(given, memory, first, free);
            let logit = self.adjustments.apply(parameters, given, memory, id, logit);
            if let Some(logit) = logit {
                self.ranking
                    .offer(memory.candidates, Candidate::new(logit, id));
                if let Some(spread) = &mut self.spread {
                    spread.add(&[logit]);
                }
            }
            (first, rest) = (id.wrapping_add(1), others);
        }
        self.offer_all(given, memory, first, rest);
        Some(())
    }

    /// Offers those that are allowed of the logits from `first` on, which are not adjusted.
    fn offer_all(
        &mut self,
        given: &Given<'_>,
        memory: &mut Memory<'_>,
        first: u32,
        logits: &[f32],
    ) {
        let (mut id, mut rest) = (first, logits);
        while !rest.is_empty() {
            let skipped = given.allowed.run(id, rest.len(), false);
            let count = given.allowed.run(next(id, skipped), rest.len(), true);
            let (_, others) = rest.split_at_checked(skipped).unwrap_or_default();
            let count = count.min(others.len());
            let (run, others) = others.split_at_checked(count).unwrap_or_default();
            id = next(id, skipped);
            self.ranking.offer_all(memory.candidates, id, run);
            if let Some(spread) = &mut self.spread {
                spread.add(run);
            }
            (id, rest) = (next(id, count), others);
        }
    }

    /// After `Done`: what was kept, to be drawn from at `temperature`.
    pub(super) fn ranks(&self, temperature: f32) -> Ranks {
        let sum = (f64::from(self.temperature), self.all.sum);
        let variance = self.spread.map_or(0.0, |spread| spread.variance());
        Ranks::new(
            self.ranking,
            self.sums.then_some(sum),
            variance,
            f64::from(temperature),
        )
    }
}
