// SPDX-License-Identifier: GPL-2.0
//! Top-n-sigma: the candidates whose logits lie within n standard deviations of the best one's
//! (Tang et al. 2024).

use super::ranks::{Kept, Visit, Walk};
use super::{Budget, Fault, Progress};

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct TopNSigma {
    /// Square of the largest distance.
    furthest: f64,
    walk: Walk,
}

impl TopNSigma {
    /// Starts: `sigmas` standard deviations of all logits that can be drawn are allowed.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(sigmas: f32, kept: &mut Kept<'_>) -> Result<Self, Fault> {
        let sigmas = f64::from(sigmas);
        Ok(Self {
            furthest: sigmas * sigmas * kept.variance(),
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
                    if distance * distance > self.furthest {
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
