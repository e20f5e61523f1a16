// SPDX-License-Identifier: GPL-2.0
//! One pass over the vocabulary: penalties, the best k, the sum of all where it is needed.

use super::candidate::Candidate;
use super::log_sum_exp::LogSumExp;
use super::memory::Memory;
use super::parameters::Parameters;
use super::penalties::Penalties;
use super::ranking::Ranking;
use super::ranks::Ranks;
use super::{Budget, Fault, Progress, SEGMENT};
use crate::math::finite::finite;

/// The pass.
#[derive(Clone, Copy)]
pub struct Gather {
    /// Next id.
    next: usize,
    penalties: Penalties,
    ranking: Ranking,
    /// Over the whole vocabulary, at temperature 1 for top-p and at its own for a free draw.
    all: LogSumExp,
    temperature: f32,
    /// Whether that sum is needed: only when nothing is dropped before it is used.
    sums: bool,
}

impl Gather {
    /// Starts, with penalties that are ordered.
    pub fn new(parameters: &Parameters, vocabulary: usize, penalties: Penalties) -> Self {
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
            && parameters.typical_p >= 1.0
            && (parameters.top_p < 1.0 || parameters.min_p <= 0.0);
        Self {
            next: 0,
            penalties,
            ranking,
            all: LogSumExp::new(temperature),
            temperature,
            sums,
        }
    }

    /// Goes on, segment by segment, then makes the ranking ready.
    ///
    /// # Errors
    /// [`Fault::Numeric`] for a logit that is not finite; [`Fault::Argument`] for other memory.
    pub fn step(
        &mut self,
        parameters: &Parameters,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
    ) -> Result<Progress, Fault> {
        let vocabulary = memory.logits.len();
        while self.next < vocabulary {
            if !budget.left() {
                return Ok(Progress::More);
            }
            let end = self.next.saturating_add(SEGMENT).min(vocabulary);
            self.segment(parameters, memory, end)?;
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
        memory: &mut Memory<'_>,
        end: usize,
    ) -> Result<(), Fault> {
        let segment = memory.logits.get(self.next..end).ok_or(Fault::Argument)?;
        if !finite(segment) {
            return Err(Fault::Numeric);
        }
        let held = self.ranking.len();
        self.offer(parameters, memory, segment)
            .ok_or(Fault::Argument)?;
        if self.sums {
            let gathered = memory.candidates.get(held..self.ranking.len());
            let gathered = gathered.ok_or(Fault::Argument)?;
            self.all
                .add(gathered.iter().map(|candidate| candidate.logit()));
        }
        Ok(())
    }

    /// Offers the logits from the next id on, cut at those that are penalized.
    fn offer(
        &mut self,
        parameters: &Parameters,
        memory: &mut Memory<'_>,
        segment: &[f32],
    ) -> Option<()> {
        let (mut first, mut rest) = (self.next as u32, segment);
        while let Some(id) = self.penalties.lowest(memory.window) {
            let Some((free, others)) = rest.split_at_checked(id.checked_sub(first)? as usize)
            else {
                break;
            };
            let Some((&logit, others)) = others.split_first() else {
                break;
            };
            self.ranking.offer_all(memory.candidates, first, free);
            let logit = self.penalties.apply(parameters, memory.window, id, logit);
            self.ranking
                .offer(memory.candidates, Candidate::new(logit, id));
            (first, rest) = (id.wrapping_add(1), others);
        }
        self.ranking.offer_all(memory.candidates, first, rest);
        Some(())
    }

    /// After `Done`: what was kept.
    pub fn ranks(&self) -> Ranks {
        let temperature = f64::from(self.temperature);
        let sum = self.sums.then_some((temperature, self.all.sum));
        Ranks::new(self.ranking, sum)
    }
}
