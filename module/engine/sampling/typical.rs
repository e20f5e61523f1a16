// SPDX-License-Identifier: GPL-2.0
//! Typical sampling: the candidates whose surprise is nearest to the entropy (Meister et al. 2022).
//!
//! Both are logits up to the same constant, so with the candidates sorted these are a range of
//! ranks around the mean logit; on equal distance the likelier one comes first, and of equal ones
//! the lower id. The range grows upwards from its middle, so where it ends inside a run of equal
//! logits, their first ranks take the place of the last.

use super::candidate::Candidate;
use super::ranks::{Kept, Visit, Walk};
use super::sum::weight;
use super::{Budget, Fault, Progress};

/// What is being done.
#[derive(Clone, Copy)]
enum Phase {
    /// The sum of the weights and the mean logit.
    Mean,
    /// The first rank below the mean.
    Centre,
    /// Growing the range around it.
    Range,
    /// Counting the ranks before the range that are equal to its first.
    Ties,
}

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct Typical {
    share: f64,
    phase: Phase,
    walk: Walk,
    /// Of weights: of all, then of those in the range.
    sum: f64,
    /// Sum of weight times distance, then the mean distance from the best logit.
    mean: f64,
    /// What the range has to hold.
    enough: f64,
    /// The range.
    first: usize,
    last: usize,
    /// Its ranks before `ties_end` have the logit of its first.
    ties_end: usize,
    shift: usize,
}

impl Typical {
    /// Starts: `share` of the probability is kept.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(share: f32, kept: &mut Kept<'_>) -> Result<Self, Fault> {
        Ok(Self {
            share: f64::from(share),
            phase: Phase::Mean,
            walk: Walk::new(kept)?,
            sum: 0.0,
            mean: 0.0,
            enough: 0.0,
            first: 0,
            last: 0,
            ties_end: 0,
            shift: 0,
        })
    }

    /// Goes on.
    ///
    /// # Errors
    /// [`Fault::Argument`] for other memory.
    pub(super) fn step(
        &mut self,
        kept: &mut Kept<'_>,
        budget: &mut Budget,
    ) -> Result<Progress, Fault> {
        while budget.left() {
            match self.phase {
                Phase::Mean => self.add(kept, budget)?,
                Phase::Centre => self.find_centre(kept, budget)?,
                Phase::Range => self.grow(kept, budget)?,
                Phase::Ties => {
                    if self.count_ties(kept, budget)? {
                        kept.keep(self.first, self.last);
                        kept.shift_ties(self.ties_end, self.shift);
                        return Ok(Progress::Done);
                    }
                }
            }
        }
        Ok(Progress::More)
    }

    fn add(&mut self, kept: &mut Kept<'_>, budget: &mut Budget) -> Result<(), Fault> {
        match self.walk.next(kept, budget)? {
            Visit::At(_, distance) => {
                let weight = weight(distance, 1.0);
                self.sum += weight;
                self.mean += weight * distance;
            }
            Visit::More => {}
            Visit::End => {
                self.mean /= self.sum;
                self.enough = self.sum * self.share;
                self.walk = Walk::new(kept)?;
                self.phase = Phase::Centre;
            }
        }
        Ok(())
    }

    fn find_centre(&mut self, kept: &mut Kept<'_>, budget: &mut Budget) -> Result<(), Fault> {
        match self.walk.next(kept, budget)? {
            Visit::At(_, distance) if distance < self.mean => {
                self.begin_range(self.walk.rank().saturating_sub(1));
            }
            Visit::At(..) | Visit::More => {}
            // All logits are equal to their mean.
            Visit::End => self.begin_range(kept.last()),
        }
        Ok(())
    }

    /// An empty range between the candidates above the mean and those below.
    fn begin_range(&mut self, centre: usize) {
        self.phase = Phase::Range;
        self.sum = 0.0;
        self.first = centre;
        self.last = centre;
    }

    /// Takes the nearer of the two candidates beside the range into it.
    fn grow(&mut self, kept: &mut Kept<'_>, budget: &mut Budget) -> Result<(), Fault> {
        budget.spend(1);
        let (start, end) = (kept.first(), kept.last());
        let above = match self.first.checked_sub(1) {
            Some(rank) if rank >= start => kept.get(rank),
            _ => None,
        };
        let below = if self.last < end {
            kept.get(self.last)
        } else {
            None
        };
        let best = self.walk.best();
        let distance = |candidate: Candidate| f64::from(candidate.logit()) - best;
        let (above, below) = (above.map(distance), below.map(distance));
        let upper = match (above, below) {
            (Some(above), Some(below)) => above - self.mean <= self.mean - below,
            (above, _) => above.is_some(),
        };
        if upper {
            // Logits differ exactly where the distances do.
            let before = kept.get(self.first);
            let before = before.filter(|_| self.first < self.ties_end).map(distance);
            if before != above {
                self.ties_end = self.first;
            }
            self.first = self.first.saturating_sub(1);
        } else {
            self.last = self.last.saturating_add(1);
        }
        let taken = if upper { above } else { below };
        self.sum += weight(taken.ok_or(Fault::Argument)?, 1.0);
        let full = self.first <= start && self.last >= end;
        if self.sum >= self.enough || full {
            self.phase = Phase::Ties;
        }
        Ok(())
    }

    /// Looks at one more rank before the range; whether that was the last to look at.
    fn count_ties(&mut self, kept: &mut Kept<'_>, budget: &mut Budget) -> Result<bool, Fault> {
        budget.spend(1);
        let edge = kept.get(self.first).ok_or(Fault::Argument)?;
        let rank = self.first.checked_sub(self.shift.saturating_add(1));
        let before = rank.filter(|rank| *rank >= kept.first());
        let before = before.and_then(|rank| kept.get(rank));
        let equal = before.is_some_and(|before| before.logit() == edge.logit());
        if equal {
            self.shift = self.shift.saturating_add(1);
        }
        Ok(!equal)
    }
}
