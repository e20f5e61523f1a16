// SPDX-License-Identifier: GPL-2.0
//! What attention to a segment of positions leaves of one head. Point 8 of the numerics contract.

use crate::math::exp::exp;

/// Values beside the weighted sum of a partial result, of which two are used.
const BESIDE: usize = 4;

/// f32 values of the partial result of a head: the sum of p * v (head size), then the largest
/// score and the sum of p.
pub const fn partial_values(head_size: usize) -> usize {
    head_size.next_multiple_of(BESIDE) + BESIDE
}

/// The partial result of one head over a segment.
pub struct Partial<'a> {
    /// Sum of p * v, per dimension.
    pub sum: &'a mut [f32],
    /// Largest score so far; where it is zero, of either sign.
    pub largest: &'a mut f32,
    /// Sum of p = exp(score - largest).
    pub weight: &'a mut f32,
}

impl<'a> Partial<'a> {
    /// Views `partial_values(head_size)` values.
    pub fn view(values: &'a mut [f32], head_size: usize) -> Option<Partial<'a>> {
        let beside = values.len().checked_sub(BESIDE)?;
        let (sum, beside) = values.split_at_mut_checked(beside)?;
        let [largest, weight, ..] = beside else {
            return None;
        };
        Some(Partial {
            sum: sum.get_mut(..head_size)?,
            largest,
            weight,
        })
    }

    /// Before any position.
    pub fn clear(&mut self) {
        self.sum.fill(0.0);
        *self.largest = f32::NEG_INFINITY;
        *self.weight = 0.0;
    }

    /// Multiplies the sums by `factor`.
    #[inline]
    pub fn rescale(&mut self, factor: f32) {
        *self.weight *= factor;
        for sum in self.sum.iter_mut() {
            *sum *= factor;
        }
    }

    /// Makes `score` the reference when it is larger than the largest so far.
    #[inline]
    pub fn raise(&mut self, score: f32) {
        if score > *self.largest {
            // The factor of the first score is 0, and the sums are 0 before, or NaN.
            if *self.largest > f32::NEG_INFINITY {
                self.rescale(exp(*self.largest - score));
            }
            *self.largest = score;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_score_rescales_and_another_does_not() {
        let mut values = [3.0, 5.0, 7.0, 0.0, -1.0, 2.0, 0.0, 0.0];
        let mut partial = Partial::view(&mut values, 3).unwrap();
        for score in [-2.0, f32::NAN, -1.0] {
            partial.raise(score);
        }
        assert_eq!(
            (&*partial.sum, *partial.largest),
            (&[3.0, 5.0, 7.0][..], -1.0)
        );
        partial.raise(1.0);
        let factor = exp(-2.0);
        assert_eq!(partial.sum, [3.0 * factor, 5.0 * factor, 7.0 * factor]);
        assert_eq!((*partial.largest, *partial.weight), (1.0, 2.0 * factor));
        partial.clear();
        assert_eq!(
            values,
            [0.0, 0.0, 0.0, 0.0, f32::NEG_INFINITY, 0.0, 0.0, 0.0]
        );
        assert!(Partial::view(&mut [0.0; 3], 0).is_none());
        assert_eq!(partial_values(3), values.len());
    }
}
