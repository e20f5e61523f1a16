// SPDX-License-Identifier: GPL-2.0
//! The end of a branch whose output, or whose sum with the residual stream, is normalized.

use crate::math::finite;
use crate::model::Part;
use crate::simd::elementwise;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::packing::normalize_row;
use crate::step::task::Task;

/// Rows of the batch from `first` on, (row, `stride`).
pub struct Joined<'a> {
    /// The first row.
    pub first: usize,
    /// Values from one row to the next.
    pub stride: usize,
    /// The residual stream of these rows.
    pub residual: &'a mut [f32],
    /// What the branch adds to it.
    pub branch: &'a [f32],
}

/// Adds the branch, normalized with the weight `part` of `layer`, to the residual stream, which is
/// multiplied by `scale`; `room` is for one row.
pub fn run(
    task: &Task<'_>,
    layer: u32,
    part: Part,
    scale: f32,
    joined: Joined<'_>,
    room: &mut [f32],
) -> Option<()> {
    let shape = &task.model.shape;
    let columns = shape.embedding as usize;
    let weight = task.layer(layer)?.vector(part).values(task.arena)?;
    let room = room.get_mut(..columns)?;
    let stride = joined.stride;
    let rows = pieces_mut(joined.residual, stride).zip(pieces(joined.branch, stride));
    for (row, (sums, values)) in (joined.first..).zip(rows) {
        norm::rms(values.get(..columns)?, weight, shape.epsilon, room)?;
        let sums = sums.get_mut(..columns)?;
        let mut finite = elementwise::add(sums, room)?;
        if scale != 1.0 {
            elementwise::scale(sums, scale);
            finite = finite::finite(sums);
        }
        if !finite {
            task.batch.fail(row);
        }
    }
    Some(())
}

/// Normalizes `residual`, (row, `stride`), the residual stream of the rows from `first` on. `parts` are
/// the weight and the bias, of `layer` or of the whole model; `room` is for one row.
pub fn normalize(
    task: &Task<'_>,
    layer: Option<u32>,
    parts: (Part, Part),
    (first, residual): (usize, &mut [f32]),
    stride: usize,
    room: &mut [f32],
) -> Option<()> {
    let columns = task.model.shape.embedding as usize;
    let room = room.get_mut(..columns)?;
    for (row, values) in (first..).zip(pieces_mut(residual, stride)) {
        let values = values.get_mut(..columns)?;
        room.copy_from_slice(values);
        normalize_row(task, layer, parts, room, values)?;
        if !finite::finite(values) {
            task.batch.fail(row);
        }
    }
    Some(())
}
