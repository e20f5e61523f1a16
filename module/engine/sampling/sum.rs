// SPDX-License-Identifier: GPL-2.0
//! The sum of the weights of what is left, which makes probabilities of them.

use super::ranks::{Kept, Visit, Walk};
use super::{Budget, Fault};
use crate::math::double::exp64;

/// exp(distance / temperature), the weight of a candidate whose logit is so far from the best one's.
pub(super) fn weight(distance: f64, temperature: f64) -> f64 {
    exp64(distance / temperature)
}

/// The sum at one temperature, in binary64, the best first.
#[derive(Clone, Copy)]
pub(super) enum Sum {
    /// Nothing is left to add.
    Known(f64),
    /// Some ranks are added.
    Partial {
        /// Over the ranks.
        walk: Walk,
        /// What divides the distances.
        temperature: f64,
        /// Of the ranks seen.
        sum: f64,
    },
}

impl Sum {
    /// Takes the sum that is there, or starts to add.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(kept: &mut Kept<'_>, temperature: f64) -> Result<Self, Fault> {
        match kept.sum(temperature) {
            Some(sum) => Ok(Self::Known(sum)),
            None => Ok(Self::Partial {
                walk: Walk::new(kept)?,
                temperature,
                sum: 0.0,
            }),
        }
    }

    /// Goes on; the sum, or `None` while there is more to do.
    ///
    /// # Errors
    /// [`Fault::Argument`] for other memory.
    pub(super) fn step(
        &mut self,
        kept: &mut Kept<'_>,
        budget: &mut Budget,
    ) -> Result<Option<f64>, Fault> {
        loop {
            match self {
                Self::Known(sum) => return Ok(Some(*sum)),
                Self::Partial {
                    walk,
                    temperature,
                    sum,
                } => match walk.next(kept, budget)? {
                    Visit::At(_, distance) => *sum += weight(distance, *temperature),
                    Visit::More => return Ok(None),
                    Visit::End => *self = Self::Known(*sum),
                },
            }
        }
    }
}
