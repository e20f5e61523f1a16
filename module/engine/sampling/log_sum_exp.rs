// SPDX-License-Identifier: GPL-2.0
//! The sum of the exponentials of all logits.

use crate::math::double::{exp64, ln64};

/// max and sum of exp((logit - max) / temperature) over the segments merged so far.
#[derive(Clone, Copy, Debug)]
pub struct LogSumExp {
    /// Largest logit.
    pub max: f64,
    /// Sum relative to it, in binary64.
    pub sum: f64,
    temperature: f64,
}

impl LogSumExp {
    /// Nothing summed yet.
    pub fn new(temperature: f32) -> Self {
        Self {
            max: f64::NEG_INFINITY,
            sum: 0.0,
            temperature: f64::from(temperature),
        }
    }

    /// exp((logit - max) / temperature).
    fn weight(&self, logit: f64, max: f64) -> f64 {
        exp64((logit - max) / self.temperature)
    }

    /// Adds a segment of finite logits: its own sum first, ids ascending, then the merge.
    pub fn add(&mut self, segment: impl Iterator<Item = f32> + Clone) {
        let max = segment.clone().fold(f64::NEG_INFINITY, |max, logit| {
            if f64::from(logit) > max {
                f64::from(logit)
            } else {
                max
            }
        });
        let sum = segment.fold(0.0, |sum, logit| sum + self.weight(f64::from(logit), max));
        if max > self.max {
            self.sum = self.sum * self.weight(self.max, max) + sum;
            self.max = max;
        } else {
            self.sum += sum * self.weight(max, self.max);
        }
    }

    /// ln of the sum of exp(logit / temperature), times the temperature.
    pub fn value(&self) -> f64 {
        self.max + ln64(self.sum) * self.temperature
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_ascending_and_descending() {
        let logits: Vec<f32> = (0..2000).map(|i| (i as f32 * 0.37).sin() * 9.0).collect();
        let expected = logits.iter().map(|&x| f64::from(x).exp()).sum::<f64>().ln();
        for reverse in [false, true] {
            let mut sum = LogSumExp::new(1.0);
            let mut segments: Vec<&[f32]> = logits.chunks(512).collect();
            if reverse {
                segments.reverse();
            }
            for segment in segments {
                sum.add(segment.iter().copied());
            }
            assert!((sum.value() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn one_logit_is_its_own_sum() {
        let mut sum = LogSumExp::new(1.0);
        sum.add([3.5f32].into_iter());
        assert_eq!((sum.max, sum.sum, sum.value()), (3.5, 1.0, 3.5));
    }

    #[test]
    fn far_logits_do_not_overflow() {
        let mut sum = LogSumExp::new(1e-6);
        sum.add([f32::MIN].into_iter());
        sum.add([f32::MAX, 0.0].into_iter());
        assert_eq!(sum.sum, 1.0);
    }
}
