// SPDX-License-Identifier: GPL-2.0
//! A projection back to the width of the residual stream, added to it.

use crate::model::matrix::Matrix;
use crate::model::vector::Vector;
use crate::simd::elementwise;
use crate::step::input::Packed;
use crate::step::product::Products;
use crate::step::task::Task;
use crate::wall::columns::Columns;

/// What is added: a projection.
#[derive(Clone, Copy)]
pub struct Addend<'a> {
    /// Its matrix.
    pub matrix: &'a Matrix,
    /// Its bias.
    pub bias: &'a Vector,
}

/// Computes `count` groups of `addend` from `first` on, for all rows, and adds them to `residual`.
pub fn run(
    task: &Task<'_>,
    addend: Addend<'_>,
    first: u32,
    count: u32,
    input: Packed<'_>,
    room: &mut [f32],
    mut residual: Columns<'_>,
) -> Option<()> {
    let rows = task.batch.rows().len();
    let bias = addend.bias.values(task.arena);
    let mut done = 0;
    while done < count {
        let mut products = Products::new(
            task,
            addend.matrix,
            first + done,
            count - done,
            rows,
            input,
            &mut *room,
        )?;
        products.add_bias(bias);
        let output = products.first;
        for (row, values) in products.rows().enumerate() {
            let sums = residual.row(row, output, values.len())?;
            if !elementwise::add(sums, values) {
                task.batch.fail(row);
            }
        }
        done += products.groups();
    }
    Some(())
}
