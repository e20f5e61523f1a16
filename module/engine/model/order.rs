// SPDX-License-Identifier: GPL-2.0
//! The order in which rows of a tensor are kept.

use crate::model::architecture::Positions;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::layer_shape::LayerShape;
use crate::model::part::Part;
use crate::simd::format::GROUP_ROWS;

/// In heads of `head` rows, of which the first `rotated` have their two halves interleaved: so those
/// that rotate together become neighbours. A head of 0 rows stands for rows in the file's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    head: u32,
    rotated: u32,
}

impl Order {
    /// The file's order.
    pub const STRAIGHT: Order = Order {
        head: 0,
        rotated: 0,
    };

    /// The order of the rows of `part` in a layer of shape `layer`.
    pub fn of(part: Part, model: &Hyperparameters, layer: &LayerShape) -> Order {
        let turns = matches!(
            part,
            Part::Query
                | Part::QueryBias
                | Part::QueryNorm
                | Part::Key
                | Part::KeyBias
                | Part::KeyNorm
        );
        if turns && model.architecture.positions == Positions::Halves {
            Order {
                head: layer.query_stride_of(part),
                rotated: layer.rotated,
            }
        } else {
            Order::STRAIGHT
        }
    }

    /// Rows that a read holds a multiple of: whole groups, and whole heads where there are some.
    pub fn unit(&self) -> u32 {
        let head = self.head.max(1);
        // CAST: A small constant.
        #[expect(clippy::cast_possible_truncation)]
        let group = GROUP_ROWS as u32;
        let common = head.trailing_zeros().min(group.trailing_zeros());
        head.saturating_mul(group >> common)
    }

    /// Row of the tensor that is kept as row `row`.
    pub fn source(&self, row: u32) -> u32 {
        let Some(dimension) = row.checked_rem(self.head) else {
            return row;
        };
        if dimension >= self.rotated {
            return row;
        }
        let half = dimension % 2 * (self.rotated / 2);
        row - dimension + dimension / 2 + half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_become_neighbours_and_the_rest_stays() {
        let order = Order {
            head: 8,
            rotated: 6,
        };
        let sources: Vec<u32> = (0..16).map(|row| order.source(row)).collect();
        let head = [0, 3, 1, 4, 2, 5, 6, 7];
        let next = head.map(|row| row + 8);
        assert_eq!(sources, [head, next].concat());
        assert_eq!(order.unit(), 16);
        assert_eq!(
            (0..9).map(|row| Order::STRAIGHT.source(row)).sum::<u32>(),
            36
        );
        assert_eq!(Order::STRAIGHT.unit(), 16);
        for (head, unit) in [(12, 48), (64, 64), (80, 80), (6, 48), (16, 16)] {
            assert_eq!(Order { head, rotated: 2 }.unit(), unit);
        }
    }
}
