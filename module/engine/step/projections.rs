// SPDX-License-Identifier: GPL-2.0
//! Several projections of one input, side by side.

use core::ops::Range;

use crate::memory::columns::Columns;
use crate::model::matrix::GROUP_ROWS;
use crate::simd::elementwise;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Computes `groups` of `parts`, one matrix after the other, for all rows; each begins with a group of
/// columns of its own in `out`, which they fill from column `first` on.
pub fn run(
    task: &Task<'_>,
    parts: &[Projection<'_>],
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    (mut out, first): (Columns<'_>, usize),
) -> Option<()> {
    let mut before = 0;
    for part in parts {
        let count = part.matrix.group_count();
        let within = |group: u32| group.saturating_sub(before).min(count);
        let own = within(groups.start)..within(groups.end);
        let column = first + before as usize * GROUP_ROWS as usize;
        for_each_run(task, [*part], own, operands, room, |[mut products]| {
            products.check(|row| task.batch.fail(row));
            let output = column + products.first;
            for (row, values) in products.rows().enumerate() {
                elementwise::copy(values, out.row(row, output, values.len())?)?;
            }
            Some(())
        })?;
        before += count;
    }
    Some(())
}
