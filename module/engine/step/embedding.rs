// SPDX-License-Identifier: GPL-2.0
//! Token embeddings, plus learned positions where the model has them.

use crate::model::Part;
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
    let scale = task.model.shape.scales.embedding;
    let rows = task.batch.rows().get(first..)?;
    for (row, out) in rows.iter().zip(pieces_mut(residual, stride)) {
        let out = out.get_mut(..columns)?;
        let embedding = task.model.parts.matrix(Part::TokenEmbedding);
        embedding.row(task.arena, row.token, out)?;
        if scale != 1.0 {
            elementwise::scale(out, scale);
        }
        let positions = task.model.parts.matrix(Part::PositionEmbedding);
        if positions.exists() {
            let position = room.get_mut(..columns)?;
            positions.row(task.arena, row.position, position)?;
            elementwise::add(out, position)?;
        }
    }
    Some(())
}
