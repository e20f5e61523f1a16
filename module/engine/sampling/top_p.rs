// SPDX-License-Identifier: GPL-2.0
//! Top-p: the shortest prefix that holds its share of the probability (Holtzman et al. 2020).

use super::ranks::{Kept, Visit, Walk};
use super::sum::{Sum, weight};
use super::{Budget, Fault, Progress};

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct TopP {
    share: f64,
    all: Sum,
    walk: Walk,
    sum: f64,
}

impl TopP {
    /// Starts: `share` of the probability is kept.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(share: f32, kept: &mut Kept<'_>) -> Result<Self, Fault> {
        Ok(Self {
            share: f64::from(share),
            all: Sum::new(kept, 1.0)?,
            walk: Walk::new(kept)?,
            sum: 0.0,
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
        let Some(all) = self.all.step(kept, budget)? else {
            return Ok(Progress::More);
        };
        let enough = all * self.share;
        loop {
            match self.walk.next(kept, budget)? {
                Visit::At(_, distance) => self.sum += weight(distance, 1.0),
                Visit::More => return Ok(Progress::More),
                Visit::End => return Ok(Progress::Done),
            }
            if self.sum >= enough {
                kept.cut(self.walk.rank());
                return Ok(Progress::Done);
            }
        }
    }
}
