// SPDX-License-Identifier: GPL-2.0
//! Logits of the rows that asked for them; whoever draws or scores looks whether they are finite.

use crate::step::input::Packed;
use crate::step::product::Products;
use crate::step::task::Task;
use crate::wall::columns::Columns;

/// Computes `count` groups of the head from `first` on, for all rows with logits.
pub fn run(
    task: &Task<'_>,
    first: u32,
    count: u32,
    input: Packed<'_>,
    room: &mut [f32],
    mut logits: Columns<'_>,
) -> Option<()> {
    let rows = task.batch.logits().len();
    let mut done = 0;
    while done < count {
        let head = &task.model.head;
        let most = count - done;
        let mut products = Products::new(task, head, first + done, most, rows, input, &mut *room)?;
        let output = products.first;
        for (index, values) in products.rows().enumerate() {
            logits
                .row(index, output, values.len())?
                .copy_from_slice(values);
        }
        done += products.groups();
    }
    Some(())
}
