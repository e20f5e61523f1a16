// SPDX-License-Identifier: GPL-2.0
//! The candidates that are left, by rank, the best first.

use super::candidate::Candidate;
use super::ranking::Ranking;
use super::{Budget, Fault};

/// Which ranks are left: a range, since whatever a stage of the chain drops stands at one end.
#[derive(Clone, Copy)]
pub(super) struct Ranks {
    ranking: Ranking,
    first: usize,
    last: usize,
    /// Ranks before `ties_end` stand for those that are `shift` lower, of the same logit.
    ties_end: usize,
    shift: usize,
    /// A temperature and the sum of all weights at it, until something is dropped.
    sum: Option<(f64, f64)>,
    /// Of all logits that can be drawn.
    variance: f64,
    /// Of the draw.
    temperature: f64,
}

/// What is left, with the memory that holds it.
pub(super) struct Kept<'a> {
    /// Which ranks.
    pub ranks: &'a mut Ranks,
    /// As the ranking left them.
    pub candidates: &'a mut [Candidate],
}

impl Ranks {
    /// All that a ranking holds, to be drawn from at `temperature`; `sum` is a temperature and the sum
    /// of their weights at it, `variance` that of all logits, where it is needed.
    pub(super) fn new(
        ranking: Ranking,
        sum: Option<(f64, f64)>,
        variance: f64,
        temperature: f64,
    ) -> Self {
        Self {
            ranking,
            first: 0,
            last: ranking.len(),
            ties_end: 0,
            shift: 0,
            sum,
            variance,
            temperature,
        }
    }
}

impl Kept<'_> {
    /// The first rank that is left.
    pub(super) fn first(&self) -> usize {
        self.ranks.first
    }

    /// The rank behind the last that is left.
    pub(super) fn last(&self) -> usize {
        self.ranks.last
    }

    /// The candidate of a rank.
    pub(super) fn get(&mut self, rank: usize) -> Option<Candidate> {
        let rank = if rank < self.ranks.ties_end {
            rank.saturating_sub(self.ranks.shift)
        } else {
            rank
        };
        self.ranks.ranking.get(self.candidates, rank)
    }

    /// The best candidate that is left.
    ///
    /// # Errors
    /// [`Fault::Argument`] when none is.
    pub(super) fn best(&mut self) -> Result<Candidate, Fault> {
        self.get(self.ranks.first).ok_or(Fault::Argument)
    }

    /// The sum of all weights at a temperature, where it is known.
    pub(super) fn sum(&self, temperature: f64) -> Option<f64> {
        let (at, sum) = self.ranks.sum?;
        (at == temperature).then_some(sum)
    }

    /// Variance of all logits that can be drawn.
    pub(super) fn variance(&self) -> f64 {
        self.ranks.variance
    }

    /// Temperature of the draw.
    pub(super) fn temperature(&self) -> f64 {
        self.ranks.temperature
    }

    /// Sets the temperature of the draw, above 0.
    pub(super) fn set_temperature(&mut self, temperature: f64) {
        self.ranks.temperature = temperature;
    }

    /// Drops all ranks from `last` on.
    pub(super) fn cut(&mut self, last: usize) {
        self.keep(self.ranks.first, last);
    }

    /// Drops all ranks but those from `first` on that are below `last`.
    pub(super) fn keep(&mut self, first: usize, last: usize) {
        self.ranks.first = first;
        self.ranks.last = last;
        self.ranks.sum = None;
    }

    /// Lets ranks before `end` stand for those that are `shift` lower, of the same logit.
    pub(super) fn shift_ties(&mut self, end: usize, shift: usize) {
        self.ranks.ties_end = end;
        self.ranks.shift = shift;
    }
}

/// What a step of a [`Walk`] finds.
pub(super) enum Visit {
    /// A candidate, and its logit less the best one's.
    At(Candidate, f64),
    /// Nothing: the walk is over.
    End,
    /// The budget is used up.
    More,
}

/// A walk over what is left, the best first.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    rank: usize,
    best: f64,
}

impl Walk {
    /// Starts at the best.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(kept: &mut Kept<'_>) -> Result<Self, Fault> {
        Ok(Self {
            rank: kept.first(),
            best: f64::from(kept.best()?.logit()),
        })
    }

    /// The rank behind what was seen.
    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    /// The logit that distances are counted from.
    pub(super) fn best(&self) -> f64 {
        self.best
    }

    /// Looks at one more.
    ///
    /// # Errors
    /// [`Fault::Argument`] for other memory.
    pub(super) fn next(
        &mut self,
        kept: &mut Kept<'_>,
        budget: &mut Budget,
    ) -> Result<Visit, Fault> {
        if self.rank >= kept.last() {
            return Ok(Visit::End);
        }
        if !budget.left() {
            return Ok(Visit::More);
        }
        budget.spend(1);
        let candidate = kept.get(self.rank).ok_or(Fault::Argument)?;
        self.rank = self.rank.saturating_add(1);
        Ok(Visit::At(
            candidate,
            f64::from(candidate.logit()) - self.best,
        ))
    }
}
