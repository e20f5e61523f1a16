// SPDX-License-Identifier: GPL-2.0
//! Logits of the rows that asked for them; whoever draws or scores looks whether they are finite.

use core::ops::Range;

use crate::memory::columns::Columns;
use crate::model::Part;
use crate::simd::elementwise;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Computes `groups` of the head for all rows with logits.
pub fn run(
    task: &Task<'_>,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut logits: Columns<'_>,
) -> Option<()> {
    let matrix = task.model.parts.matrix(Part::Output);
    let head = Projection::new(
        Part::Output,
        matrix,
        task.model.parts.matrix(Part::OutputBias),
    );
    let scales = &task.model.shape.scales;
    for_each_run(task, [head], groups, operands, room, |[mut products]| {
        if scales.logit != 1.0 {
            elementwise::scale(products.values(), scales.logit);
        }
        if scales.logit_cap != 0.0 {
            elementwise::cap(products.values(), scales.logit_cap);
        }
        let output = products.first;
        for (index, values) in products.rows().enumerate() {
            logits
                .row(index, output, values.len())?
                .copy_from_slice(values);
        }
        Some(())
    })
}
