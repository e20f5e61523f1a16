// SPDX-License-Identifier: GPL-2.0
//! Token embeddings, plus learned positions and the kind of text where the model has them.

use crate::model::Part;
use crate::model::architecture::Norms;
use crate::simd::elementwise;
use crate::simd::pieces::pieces_mut;
use crate::step::adapters;
use crate::step::packing::normalize_row;
use crate::step::task::Task;

/// Writes the residual stream of the rows from `first` on, as many as `residual`, (row, `stride`),
/// has room for; `room` is for one position, and `products` for those of adapters.
pub fn run(
    task: &Task<'_>,
    first: usize,
    residual: &mut [f32],
    stride: usize,
    room: &mut [f32],
    products: &mut [f32],
) -> Option<()> {
    let columns = task.model.shape.embedding as usize;
    let scale = task.model.shape.scales.embedding;
    let rows = task.batch.rows().get(first..)?;
    for (index, (row, out)) in rows.iter().zip(pieces_mut(residual, stride)).enumerate() {
        let out = out.get_mut(..columns)?;
        let embedding = task.model.parts.matrix(Part::TokenEmbedding);
        embedding.row(task.arena, row.token, out)?;
        if !task.adapters.is_empty() {
            adapters::embed(task, (first + index, row), out, products)?;
        }
        if scale != 1.0 {
            elementwise::scale(out, scale);
        }
        let positions = task.model.parts.matrix(Part::PositionEmbedding);
        if positions.exists() {
            let position = room.get_mut(..columns)?;
            positions.row(task.arena, row.position, position)?;
            elementwise::add(out, position)?;
        }
        if task.model.shape.architecture.norms == Norms::OfSums {
            finish(task, out, room)?;
        }
    }
    Some(())
}

/// Adds the first kind of text to a row, and normalizes it; `room` is for one row.
#[inline(never)]
fn finish(task: &Task<'_>, out: &mut [f32], room: &mut [f32]) -> Option<()> {
    let columns = task.model.shape.embedding as usize;
    let (out, room) = (out.get_mut(..columns)?, room.get_mut(..columns)?);
    let types = task.model.parts.matrix(Part::TokenTypes);
    if types.exists() {
        types.row(task.arena, 0, room)?;
        elementwise::add(out, room)?;
    }
    room.copy_from_slice(out);
    let parts = (Part::EmbeddingNorm, Part::EmbeddingNormBias);
    normalize_row(task, None, parts, room, out)
}
