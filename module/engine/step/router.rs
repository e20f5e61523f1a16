// SPDX-License-Identifier: GPL-2.0
//! Scores of the experts, and behind them that of the shared one.

use core::ops::Range;

use crate::memory::columns::Columns;
use crate::model::Layer;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Computes `groups` of the scores for all rows: those of the two matrices, one after the other.
pub fn run(
    task: &Task<'_>,
    layer: &Layer,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut scores: Columns<'_>,
) -> Option<()> {
    let mut before = 0;
    for part in [
        Projection::of(layer, Part::Router, Part::RouterBias),
        Projection::without_bias(layer, Part::SharedRouter),
    ] {
        let count = part.matrix.group_count();
        let within = |group: u32| group.saturating_sub(before).min(count);
        let own = within(groups.start)..within(groups.end);
        let column = before as usize * GROUP_ROWS as usize;
        for_each_run(task, [part], own, operands, room, |[mut products]| {
            products.check(|row| task.batch.fail(row));
            let output = column + products.first;
            for (row, values) in products.rows().enumerate() {
                scores
                    .row(row, output, values.len())?
                    .copy_from_slice(values);
            }
            Some(())
        })?;
        before += count;
    }
    Some(())
}
