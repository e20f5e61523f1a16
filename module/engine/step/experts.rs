// SPDX-License-Identifier: GPL-2.0
//! The feed-forward networks of the experts that each row chose. Every row is multiplied by itself.

use core::ops::Range;

use crate::memory::columns::Columns;
use crate::model::Layer;
use crate::model::Part;
use crate::simd::elementwise;
use crate::simd::pieces::pieces;
use crate::step::feed_forward;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::route::Route;
use crate::step::task::Task;

/// The experts of each row of the batch: what it chose, with the row of `operands` for each.
fn chosen<'r>(task: &Task<'_>, routes: &'r [Route]) -> impl Iterator<Item = (usize, &'r [Route])> {
    let used = task.model.shape.experts.used as usize;
    let rows = pieces(routes, used + 1).take(task.batch.rows().len());
    rows.filter_map(move |routes| routes.get(..used))
        .enumerate()
}

/// Computes `groups` of the hidden layers, (row, expert used), of all rows.
pub fn up(
    task: &Task<'_>,
    layer: &Layer,
    routes: &[Route],
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut hidden: Columns<'_>,
) -> Option<()> {
    for (row, routes) in chosen(task, routes) {
        for (index, route) in routes.iter().enumerate() {
            let of = |matrix, bias| Projection::of(layer, matrix, bias).expert(route.expert);
            let parts = [
                of(Part::GateExperts, Part::GateExpertsBias)?,
                of(Part::UpExperts, Part::UpExpertsBias)?,
            ];
            let operands = Operands {
                first: row,
                rows: 1,
                ..operands
            };
            let place = row * routes.len() + index;
            let groups = groups.clone();
            feed_forward::for_each(task, parts, groups, operands, room, |mut products| {
                products.check(|_| task.batch.fail(row));
                feed_forward::put(&mut products, &mut hidden, place)
            })?;
        }
    }
    Some(())
}

/// Adds `groups` of the experts' outputs, each times its weight, to the residual stream of all rows:
/// a row's experts in the order of its choice.
pub fn down(
    task: &Task<'_>,
    layer: &Layer,
    routes: &[Route],
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut residual: Columns<'_>,
) -> Option<()> {
    for (row, routes) in chosen(task, routes) {
        for (index, route) in routes.iter().enumerate() {
            let part = Projection::of(layer, Part::DownExperts, Part::DownExpertsBias);
            let part = part.expert(route.expert)?;
            let operands = Operands {
                first: row * routes.len() + index,
                rows: 1,
                ..operands
            };
            let groups = groups.clone();
            for_each_run(task, [part], groups, operands, room, |[mut products]| {
                let output = products.first;
                for values in products.rows() {
                    let sums = residual.row(row, output, values.len())?;
                    elementwise::add_scaled(sums, route.weight, values)?;
                    if !crate::math::finite::finite(sums) {
                        task.batch.fail(row);
                    }
                }
                Some(())
            })?;
        }
    }
    Some(())
}
