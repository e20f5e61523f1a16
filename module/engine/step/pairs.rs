// SPDX-License-Identifier: GPL-2.0
//! The pairs of the adapters that are in use in a pass.

use crate::abi::Row;
use crate::model::Part;
use crate::model::adapter::Adapted;
use crate::model::adapter::Pair;
use crate::model::matrix::GROUP_ROWS;
use crate::step::task::Task;

/// Most matrices that multiply one input.
pub(crate) const PARTS_MAX: usize = 4;

/// A pair of an adapter that is in use in the pass, beside a matrix that multiplies some input.
#[derive(Clone, Copy)]
pub(crate) struct Used<'a> {
    /// Number of the adapter.
    pub number: usize,
    /// It.
    pub adapter: Adapted<'a>,
    /// The matrix.
    pub part: Part,
    /// The pair.
    pub pair: &'a Pair,
    /// Column of the reduced rows that what A gives begins at.
    pub column: usize,
}

impl Used<'_> {
    /// What the product of a pair is multiplied by for `row`.
    pub(crate) fn scale(&self, row: &Row) -> Option<f32> {
        let millionths = *row.scales.get(self.number)?;
        Some(self.adapter.factor(self.pair, millionths))
    }
}

/// Adapters that a row of the pass has a scale of, with their numbers.
pub(crate) fn in_use<'a>(task: &Task<'a>) -> impl Iterator<Item = (usize, Adapted<'a>)> {
    let scaled = task.batch.scaled();
    let adapters = task.adapters.iter().enumerate();
    adapters.filter_map(move |(number, adapter)| {
        let used = scaled & 1 << number != 0;
        Some((number, adapter.filter(|_| used)?))
    })
}

/// The pairs beside those of `parts`, of `layer` or of the model, that multiply one input, in order.
pub(crate) fn beside<'a>(
    task: &Task<'a>,
    parts: &'static [Part],
    layer: Option<u32>,
) -> impl Iterator<Item = Used<'a>> {
    let mut next = 0;
    let pairs = in_use(task).flat_map(move |(number, adapter)| {
        let parts = parts.iter().copied();
        parts.filter_map(move |part| Some((number, adapter, part, adapter.pair(layer, part)?)))
    });
    pairs.map(move |(number, adapter, part, pair)| {
        let column = next;
        next += pair.down.group_count() as usize * GROUP_ROWS as usize;
        Used {
            number,
            adapter,
            part,
            pair,
            column,
        }
    })
}
