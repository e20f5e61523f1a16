// SPDX-License-Identifier: GPL-2.0
//! A projection back to the width of the residual stream, and where it goes.

use core::ops::Range;

use crate::memory::columns::Columns;
use crate::simd::elementwise;
use crate::step::product::Operands;
use crate::step::product::Products;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Where a projection goes.
pub enum Target<'a> {
    /// It is added to the residual stream.
    Residual(Columns<'a>),
    /// It is kept by itself, to be normalized and added later.
    Branch(Columns<'a>),
}

/// Computes `groups` of `projection` for all rows, times `factor` of each row.
pub fn run(
    task: &Task<'_>,
    projection: Projection<'_>,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut target: Target<'_>,
    factor: impl Fn(usize) -> Option<f32>,
) -> Option<()> {
    for_each_run(
        task,
        [projection],
        groups,
        operands,
        room,
        |[mut products]| put(task, &mut products, &mut target, &factor),
    )
}

/// Scales the products and hands them on; a row whose sum is not finite fails.
fn put(
    task: &Task<'_>,
    products: &mut Products<'_>,
    target: &mut Target<'_>,
    factor: &impl Fn(usize) -> Option<f32>,
) -> Option<()> {
    let output = products.first;
    for (row, values) in products.rows().enumerate() {
        let factor = factor(row)?;
        if factor != 1.0 {
            elementwise::scale(values, factor);
        }
        let finite = match target {
            Target::Residual(sums) => add(sums, row, output, values)?,
            Target::Branch(branch) => {
                branch
                    .row(row, output, values.len())?
                    .copy_from_slice(values);
                crate::math::finite::finite(values)
            }
        };
        if !finite {
            task.batch.fail(row);
        }
    }
    Some(())
}

/// Adds `values` to `row` of `sums` from column `first` on; whether all sums are finite.
pub fn add(sums: &mut Columns<'_>, row: usize, first: usize, values: &[f32]) -> Option<bool> {
    elementwise::add(sums.row(row, first, values.len())?, values)
}
