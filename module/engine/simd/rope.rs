// SPDX-License-Identifier: GPL-2.0
//! Rotary position embedding (Su et al., 2021), over neighbouring dimensions.

use crate::math::fma::fma;

/// Cosines and sines of one position: (rotated dimensions / 2) each.
#[derive(Clone, Copy)]
pub struct Rotation<'a> {
    /// Cosines.
    pub cos: &'a [f32],
    /// Sines.
    pub sin: &'a [f32],
}

/// Rotates `values`, which are consecutive dimensions from dimension `first` of a head on and go
/// on into the following heads; `first` and `head_size` are even.
#[inline]
pub fn rotate(values: &mut [f32], first: usize, head_size: usize, rotation: Rotation<'_>) {
    let (mut rest, mut dimension) = (values, first);
    while let Some(left @ 1..) = head_size.checked_sub(dimension) {
        let (head, others) = rest.split_at_mut(left.min(rest.len()));
        if head.is_empty() {
            break;
        }
        let cos = rotation.cos.get(dimension / 2..).unwrap_or_default();
        let sin = rotation.sin.get(dimension / 2..).unwrap_or_default();
        rotate_pairs(head, cos, sin);
        (rest, dimension) = (others, 0);
    }
}

/// Rotates each pair by its cosine and sine; the pairs past their end stay.
#[inline(never)]
fn rotate_pairs(values: &mut [f32], cos: &[f32], sin: &[f32]) {
    let (pairs, _) = values.as_chunks_mut::<2>();
    for ((pair, &c), &s) in pairs.iter_mut().zip(cos).zip(sin) {
        let [a, b] = *pair;
        *pair = [fma(a, c, -(b * s)), fma(a, s, b * c)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_rotate_and_the_rest_stays() {
        let rotation = Rotation {
            cos: &[0.0, 1.0],
            sin: &[1.0, 0.0],
        };
        let mut values = [1., 2., 3., 4., 5., 6., 7., 8., 9., 10., 11., 12.];
        rotate(&mut values, 0, 6, rotation);
        assert_eq!(
            values,
            [-2., 1., 3., 4., 5., 6., -8., 7., 9., 10., 11., 12.]
        );
        let mut part = [3., 4., 5., 6., 7., 8.];
        rotate(&mut part, 2, 6, rotation);
        assert_eq!(part, [3., 4., 5., 6., -8., 7.]);
    }
}
