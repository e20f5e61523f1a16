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
    /// The first segment that the row attends to.
    pub first: usize,
    /// One past the last segment that the row attends to.
    pub end: usize,
    /// Heads that share keys.
    pub group: usize,
    /// Dimensions of a head.
    pub head_size: usize,
    /// A logit of each head that only the denominator of its softmax has.
    pub sinks: Option<&'a [f32]>,
}

/// Writes the attention of a row, (head, dimension), to `out`; `room` holds one partial result.
pub fn merge(partials: Partials<'_>, room: &mut [f32], out: &mut [f32]) -> Option<()> {
    let size = partial_values(partials.head_size);
    let room = room.get_mut(..size)?;
    let task = partials.group.checked_mul(size)?;
    let groups = pieces(partials.values, task.checked_mul(partials.stride)?);
    let mut heads = pieces_mut(out, partials.head_size);
    let skipped = partials.first.checked_mul(task)?;
    let count = partials.end.checked_sub(partials.first)?;
    for (number, group) in groups.enumerate() {
        let segments = pieces(group.get(skipped..)?, task).take(count);
        for head in 0..partials.group {
            let mut total = Partial::view(room, partials.head_size)?;
            total.clear();
            for segment in segments.clone() {
                join(&mut total, segment.get(head * size..)?.get(..size)?)?;
            }
            if let Some(sinks) = partials.sinks {
                add_sink(&mut total, *sinks.get(number * partials.group + head)?);
            }
            let factor = 1.0 / *total.weight;
            for (out, sum) in heads.next()?.iter_mut().zip(total.sum.iter()) {
                *out = *sum * factor;
            }
        }
    }
    Some(())
}

/// Adds a logit that only the denominator has.
#[cold]
#[inline(never)]
fn add_sink(total: &mut Partial<'_>, sink: f32) {
    total.raise(sink);
    *total.weight += exp(sink - *total.largest);
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
            first: 0,
            end: 1,
            sinks: None,
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
            first: 0,
            end: 2,
            sinks: None,
            group: 2,
            head_size: 1,
        };
        let mut out = [0.0; 2];
        merge(partials, &mut [0.0; 8], &mut out).unwrap();
        assert_eq!(out, [3.0, 4.0]);
        // The second segment alone, and a logit beside as large as the largest score.
        let partials = Partials {
            first: 1,
            sinks: Some(&[0.0, -500.0]),
            ..partials
        };
        merge(partials, &mut [0.0; 8], &mut out).unwrap();
        let segment = parts[1];
        let wanted = [0, 1].map(|head| segment[head][0] / (segment[head][5] + 1.0));
        assert_eq!(out, wanted);
    }
}
