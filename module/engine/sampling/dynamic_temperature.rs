// SPDX-License-Identifier: GPL-2.0
//! Dynamic temperature (Zhu et al. 2024; by entropy as in llama.cpp): the less certain the model
//! is, the higher.

use super::parameters::Parameters;
use super::ranks::{Kept, Visit, Walk};
use super::sum::weight;
use super::{Budget, Fault, Progress};
use crate::math::double::{ln64, pow64};

/// The lowest temperature that comes out.
const LEAST: f64 = 1e-6;

/// The stage.
#[derive(Clone, Copy)]
pub(super) struct DynamicTemperature {
    low: f64,
    high: f64,
    exponent: f64,
    walk: Walk,
    /// Of the weights.
    sum: f64,
    /// Of the weights times distances.
    moment: f64,
}

impl DynamicTemperature {
    /// Starts: from temperature - range, or 0, to temperature + range.
    ///
    /// # Errors
    /// [`Fault::Argument`] when nothing is left.
    pub(super) fn new(parameters: &Parameters, kept: &mut Kept<'_>) -> Result<Self, Fault> {
        let middle = f64::from(parameters.temperature);
        let range = f64::from(parameters.dynatemp_range);
        Ok(Self {
            low: if middle > range { middle - range } else { 0.0 },
            high: middle + range,
            exponent: f64::from(parameters.dynatemp_exponent),
            walk: Walk::new(kept)?,
            sum: 0.0,
            moment: 0.0,
        })
    }

    /// Goes on; then the temperature is that of what is left.
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
                    let weight = weight(distance, 1.0);
                    self.sum += weight;
                    self.moment += weight * distance;
                }
                Visit::More => return Ok(Progress::More),
                Visit::End => break,
            }
        }
        let count = kept.last().saturating_sub(kept.first());
        let normalized = if count > 1 {
            // -sum of p ln p, with ln p = distance - ln(sum).
            let entropy = ln64(self.sum) - self.moment / self.sum;
            entropy / ln64(count as f64)
        } else {
            0.0
        };
        let share = power(normalized, self.exponent);
        let temperature = self.low + (self.high - self.low) * share;
        kept.set_temperature(temperature.max(LEAST));
        Ok(Progress::Done)
    }
}

/// share^exponent for a share of 0 to 1, which rounding may have left outside.
fn power(share: f64, exponent: f64) -> f64 {
    if share >= 1.0 || exponent == 0.0 {
        1.0
    } else if share < f64::MIN_POSITIVE {
        0.0
    } else {
        pow64(share, exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::power;

    #[test]
    fn power_at_its_borders() {
        assert_eq!(power(1.0 + 1e-15, 3.0), 1.0);
        assert_eq!(power(-1e-16, 3.0), 0.0);
        assert_eq!(power(0.0, 0.0), 1.0);
        assert_eq!(power(0.5, 1.0), 0.5);
        assert!((power(0.5, 2.0) - 0.25).abs() < 1e-15);
    }
}
