// SPDX-License-Identifier: GPL-2.0
//! XTC ("exclude top choices", p-e-w 2024): now and then, of the candidates that are likely enough
//! only the least likely stays, with those below them.

use super::generator::Generator;
use super::ranks::{Kept, Visit, Walk};
use super::sum::{Sum, weight};
use super::{Budget, Fault, Progress};

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct Xtc {
    threshold: f64,
    all: Sum,
    walk: Walk,
}

impl Xtc {
    /// Starts with one draw of the generator; `None` when that leaves all candidates. `threshold` is
    /// the probability that is likely enough.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(
        probability: f32,
        threshold: f32,
        kept: &mut Kept<'_>,
        generator: &mut Generator,
    ) -> Result<Option<Self>, Fault> {
        if generator.uniform() >= f64::from(probability) {
            return Ok(None);
        }
        Ok(Some(Self {
            threshold: f64::from(threshold),
            all: Sum::new(kept, 1.0)?,
            walk: Walk::new(kept)?,
        }))
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
        let enough = all * self.threshold;
        let likely = loop {
            match self.walk.next(kept, budget)? {
                Visit::At(_, distance) => {
                    if weight(distance, 1.0) < enough {
                        break self.walk.rank().saturating_sub(1);
                    }
                }
                Visit::More => return Ok(Progress::More),
                Visit::End => break self.walk.rank(),
            }
        };
        let least_likely = likely.saturating_sub(1).max(kept.first());
        if least_likely != kept.first() {
            kept.keep(least_likely, kept.last());
        }
        Ok(Progress::Done)
    }
}
