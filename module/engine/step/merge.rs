// SPDX-License-Identifier: GPL-2.0
//! Merging the segments of attention, ascending, always by one task. Point 8 of the numerics contract.

use crate::math::exp::exp;
use crate::math::fma::fma;
use crate::simd::attention::partial::Partial;
use crate::simd::attention::partial::partial_values;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;

/// Where the partial results of a row lie: (kv head, segment, head of the group, values).
#[derive(Clone, Copy)]
pub struct Partials<'a> {
    /// All partial results of the row.
    pub values: &'a [f32],
    /// Segments of each head in memory.
    pub stride: usize,
    /// Segments that the row attends to.
    pub segments: usize,
    /// Heads that share keys.
    pub group: usize,
    /// Dimensions of a head.
    pub head_size: usize,
}

/// Writes the attention of a row, (head, dimension), to `out`; `room` holds one partial result.
pub fn merge(partials: Partials<'_>, room: &mut [f32], out: &mut [f32]) -> Option<()> {
    let size = partial_values(partials.head_size);
    let room = room.get_mut(..size)?;
    let task = partials.group.checked_mul(size)?;
    let groups = pieces(partials.values, task.checked_mul(partials.stride)?);
    let mut heads = pieces_mut(out, partials.head_size);
    for group in groups {
        for head in 0..partials.group {
            let mut total = Partial::view(room, partials.head_size)?;
            total.clear();
            for segment in pieces(group, task).take(partials.segments) {
                join(&mut total, segment.get(head * size..)?.get(..size)?)?;
            }
            let factor = 1.0 / *total.weight;
            for (out, sum) in heads.next()?.iter_mut().zip(total.sum.iter()) {
                *out = *sum * factor;
            }
        }
    }
    Some(())
}

/// Adds the partial result of the next segment.
fn join(total: &mut Partial<'_>, segment: &[f32]) -> Option<()> {
    let (sums, beside) = segment.split_at_checked(segment.len().checked_sub(4)?)?;
    let [largest, weight, ..] = beside else {
        return None;
    };
    total.raise(*largest);
    let factor = exp(*largest - *total.largest);
    *total.weight = fma(factor, *weight, *total.weight);
    for (total, sum) in total.sum.iter_mut().zip(sums) {
        *total = fma(factor, *sum, *total);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_segment_stays_as_it_is() {
        let values = [6.0, 9.0, 3.0, 0.0, -5.0, 1.5, 0.0, 0.0];
        let partials = Partials {
            values: &values,
            stride: 1,
            segments: 1,
            group: 1,
            head_size: 3,
        };
        let mut out = [0.0; 3];
        merge(partials, &mut [0.0; 8], &mut out).unwrap();
        assert_eq!(
            out,
            [6.0 * (1.0 / 1.5), 9.0 * (1.0 / 1.5), 3.0 * (1.0 / 1.5)]
        );
    }

    #[test]
    fn segments_and_heads_keep_apart() {
        // One kv head with two heads, two segments of three in memory; (sum, pad, largest, weight).
        let partial = |sum: f32, largest, weight| [sum, 0.0, 0.0, 0.0, largest, weight, 0.0, 0.0];
        let unused = partial(f32::NAN, f32::NAN, f32::NAN);
        let parts = [
            [partial(1.0, 0.0, 1.0), partial(8.0, 2.0, 2.0)],
            [partial(5.0, 0.0, 1.0), partial(1.0, -500.0, 1.0)],
            [unused, unused],
        ];
        let values = parts.as_flattened().as_flattened();
        let partials = Partials {
            values,
            stride: 3,
            segments: 2,
            group: 2,
            head_size: 1,
        };
        let mut out = [0.0; 2];
        merge(partials, &mut [0.0; 8], &mut out).unwrap();
        assert_eq!(out, [3.0, 4.0]);
    }
}
