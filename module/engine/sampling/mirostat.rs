// SPDX-License-Identifier: GPL-2.0
//! Mirostat 2 (Basu et al. 2021): candidates whose surprise is over a limit are dropped, and the
//! limit follows the surprise that was drawn, so that it stays near a target. In bits.

use super::parameters::Parameters;
use super::ranks::{Kept, Visit, Walk};
use super::sum::{Sum, weight};
use super::{Budget, Fault, Progress};
use crate::math::double::{exp64, ln64};

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct Mirostat {
    /// Least probability.
    least: f64,
    all: Sum,
    walk: Walk,
}

/// The limit of a turn that begins: twice the target.
pub(super) fn first_limit(parameters: &Parameters) -> f64 {
    2.0 * f64::from(parameters.mirostat_tau)
}

/// The limit after a token of this probability, among those that were left, was drawn.
pub(super) fn next_limit(parameters: &Parameters, limit: f64, probability: f64) -> f64 {
    let surprise = if probability < f64::MIN_POSITIVE {
        MOST
    } else {
        -ln64(probability) / core::f64::consts::LN_2
    };
    let error = surprise - f64::from(parameters.mirostat_tau);
    limit - f64::from(parameters.mirostat_eta) * error
}

/// Surprise of the least probability that is counted, in bits.
const MOST: f64 = 1022.0;

impl Mirostat {
    /// Starts with a limit in bits.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(limit: f64, kept: &mut Kept<'_>) -> Result<Self, Fault> {
        let temperature = kept.temperature();
        Ok(Self {
            least: exp64(-limit * core::f64::consts::LN_2),
            all: Sum::new(kept, temperature)?,
            walk: Walk::new(kept)?,
        })
    }

    /// Goes on; the best candidate always stays.
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
        let (least, temperature) = (all * self.least, kept.temperature());
        loop {
            match self.walk.next(kept, budget)? {
                Visit::At(_, distance) => {
                    if weight(distance, temperature) < least {
                        let last = self.walk.rank().saturating_sub(1);
                        kept.cut(last.max(kept.first().saturating_add(1)));
                        return Ok(Progress::Done);
                    }
                }
                Visit::More => return Ok(Progress::More),
                Visit::End => return Ok(Progress::Done),
            }
        }
    }
}
