// SPDX-License-Identifier: GPL-2.0
//! Min-p: what has at least a share of the best one's probability (Nguyen et al. 2024).

use super::ranks::{Kept, Visit, Walk};
use super::sum::weight;
use super::{Budget, Fault, Progress};

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct MinP {
    least: f64,
    walk: Walk,
}

impl MinP {
    /// Starts: `least` times the best one's probability is asked for.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(least: f32, kept: &mut Kept<'_>) -> Result<Self, Fault> {
        Ok(Self {
            least: f64::from(least),
            walk: Walk::new(kept)?,
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
        loop {
            match self.walk.next(kept, budget)? {
                Visit::At(_, distance) => {
                    if weight(distance, 1.0) < self.least {
                        kept.cut(self.walk.rank().saturating_sub(1));
                        return Ok(Progress::Done);
                    }
                }
                Visit::More => return Ok(Progress::More),
                Visit::End => return Ok(Progress::Done),
            }
        }
    }
}
