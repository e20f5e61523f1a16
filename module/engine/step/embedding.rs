// SPDX-License-Identifier: GPL-2.0
//! Token embeddings, plus learned positions where the model has them.

use crate::simd::elementwise;
use crate::simd::pieces::pieces_mut;
use crate::step::task::Task;

/// Writes the residual stream of the rows from `first` on, as many as `residual`, (row, `stride`),
/// has room for; `room` is for one position.
pub fn run(
    task: &Task<'_>,
    first: usize,
    residual: &mut [f32],
    stride: usize,
    room: &mut [f32],
) -> Option<()> {
    let columns = task.model.shape.embedding as usize;
    let rows = task.batch.rows().get(first..)?;
    for (row, out) in rows.iter().zip(pieces_mut(residual, stride)) {
        let out = out.get_mut(..columns)?;
        task.model.embedding.row(task.arena, row.token, out)?;
        if task.model.positions.exists() {
            let position = room.get_mut(..columns)?;
            task.model
                .positions
                .row(task.arena, row.position, position)?;
            elementwise::add(out, position)?;
        }
    }
    Some(())
}
