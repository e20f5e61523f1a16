// SPDX-License-Identifier: GPL-2.0
//! The draw: one of what is left, by its probability at a temperature.

use super::generator::Generator;
use super::ranks::{Kept, Visit, Walk};
use super::sum::{Sum, weight};
use super::{Budget, Fault, Progress};

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct Draw {
    temperature: f64,
    uniform: f64,
    all: Sum,
    walk: Walk,
    sum: f64,
    /// The last token seen and its weight.
    token: u32,
    weight: f64,
}

impl Draw {
    /// Starts with one draw of the generator, at the temperature of what is left.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(kept: &mut Kept<'_>, generator: &mut Generator) -> Result<Self, Fault> {
        let temperature = kept.temperature();
        Ok(Self {
            temperature,
            uniform: generator.uniform(),
            all: Sum::new(kept, temperature)?,
            walk: Walk::new(kept)?,
            sum: 0.0,
            token: 0,
            weight: 0.0,
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
        let drawn = all * self.uniform;
        loop {
            match self.walk.next(kept, budget)? {
                Visit::At(candidate, distance) => {
                    self.weight = weight(distance, self.temperature);
                    self.sum += self.weight;
                    self.token = candidate.id();
                    if self.sum > drawn {
                        return Ok(Progress::Done);
                    }
                }
                Visit::More => return Ok(Progress::More),
                // Rounding may leave the sum short of the draw: the last one it is.
                Visit::End => return Ok(Progress::Done),
            }
        }
    }

    /// After `Done`: the token.
    pub(super) fn token(&self) -> u32 {
        self.token
    }

    /// After `Done`: its probability among what was left.
    pub(super) fn probability(&self) -> f64 {
        match self.all {
            Sum::Known(all) => self.weight / all,
            Sum::Partial { .. } => 0.0,
        }
    }
}
