// SPDX-License-Identifier: GPL-2.0
//! A projection back to the width of the residual stream, added to it.

use core::ops::Range;

use crate::simd::elementwise;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;
use crate::wall::columns::Columns;

/// Computes `groups` of `projection` for all rows, and adds them to `residual`.
pub fn run(
    task: &Task<'_>,
    projection: Projection<'_>,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut residual: Columns<'_>,
) -> Option<()> {
    for_each_run(
        task,
        [projection],
        groups,
        operands,
        room,
        |[mut products]| {
            let output = products.first;
            for (row, values) in products.rows().enumerate() {
                let sums = residual.row(row, output, values.len())?;
                if !elementwise::add(sums, values)? {
                    task.batch.fail(row);
                }
            }
            Some(())
        },
    )
}
