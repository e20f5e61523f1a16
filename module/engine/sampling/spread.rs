// SPDX-License-Identifier: GPL-2.0
//! How far logits lie apart: their variance.

/// Sums of the logits seen, in binary64, each less the first of them.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    count: f64,
    first: f64,
    sum: f64,
    squares: f64,
}

impl Spread {
    /// Of none.
    pub(super) const NONE: Self = Self {
        count: 0.0,
        first: 0.0,
        sum: 0.0,
        squares: 0.0,
    };

    /// Adds finite logits.
    pub(super) fn add(&mut self, logits: &[f32]) {
        for &logit in logits {
            if self.count == 0.0 {
                self.first = f64::from(logit);
            }
            let distance = f64::from(logit) - self.first;
            self.count += 1.0;
            self.sum += distance;
            self.squares += distance * distance;
        }
    }

    /// The mean squared distance from the mean; 0 of none.
    pub(super) fn variance(&self) -> f64 {
        if self.count == 0.0 {
            return 0.0;
        }
        let mean = self.sum / self.count;
        let variance = self.squares / self.count - mean * mean;
        if variance > 0.0 { variance } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variance_is_that_of_two_passes() {
        let logits: Vec<f32> = (0..777)
            .map(|i| (i as f32 * 0.37).sin() * 9.0 + 40.0)
            .collect();
        let values = || logits.iter().map(|&logit| f64::from(logit));
        let mean = values().sum::<f64>() / 777.0;
        let expected = values().map(|x| (x - mean).powi(2)).sum::<f64>() / 777.0;
        let mut spread = Spread::NONE;
        spread.add(&logits[..100]);
        spread.add(&logits[100..]);
        assert!((spread.variance() / expected - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_logits_have_none() {
        let mut spread = Spread::NONE;
        assert_eq!(spread.variance(), 0.0);
        spread.add(&[7.25; 9]);
        assert_eq!(spread.variance(), 0.0);
    }
}
