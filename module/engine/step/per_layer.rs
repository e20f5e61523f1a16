// SPDX-License-Identifier: GPL-2.0
//! Embeddings that each layer has of each token (Gemma Team, 2025): looked up, and projected from the
//! usual embedding.

use core::ops::Range;

use crate::math::fma::sqrt;
use crate::memory::columns::Columns;
use crate::model::Layer;
use crate::model::Part;
use crate::simd::elementwise;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::packing::Rows;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// sqrt(1/2).
const ROOT_OF_HALF: f32 = f32::from_bits(0x3f35_04f3);

/// Normalizes the projections in `rows`, (row, `stride`), of the rows of the batch from `first` on, and
/// adds what is looked up; `room` is for the embeddings of a token, and those of one layer more.
pub fn run(
    task: &Task<'_>,
    first: usize,
    rows: &mut [f32],
    stride: usize,
    room: &mut [f32],
) -> Option<()> {
    let shape = &task.model.shape;
    let (each, all) = (shape.per_layer as usize, shape.all_per_layer() as usize);
    let weight = task
        .model
        .parts
        .vector(Part::PerLayerNorm)
        .values(task.arena)?;
    let (found, room) = room.split_at_mut_checked(all)?;
    let room = room.get_mut(..each)?;
    let batch = task.batch.rows().get(first..)?;
    for (row, values) in batch.iter().zip(pieces_mut(rows, stride)) {
        let values = values.get_mut(..all)?;
        let table = task.model.parts.matrix(Part::PerLayerEmbedding);
        table.row(task.arena, row.token, found)?;
        elementwise::scale(found, sqrt(each as f32));
        elementwise::scale(values, 1.0 / sqrt(shape.embedding as f32));
        for (values, found) in pieces_mut(values, each).zip(pieces(found, each)) {
            elementwise::copy(values, room)?;
            norm::rms(room, weight, shape.epsilon, values)?;
            elementwise::add(values, found)?;
            elementwise::scale(values, ROOT_OF_HALF);
        }
    }
    Some(())
}

/// Computes `groups` of the gated embeddings of `layer`, number `index`, for all rows; `rows` has those
/// of all layers.
pub fn gate(
    task: &Task<'_>,
    (index, layer): (u32, &Layer),
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    rows: Rows<'_>,
    mut out: Columns<'_>,
) -> Option<()> {
    let shape = &task.model.shape;
    let start = (index as usize).checked_mul(shape.per_layer as usize)?;
    let part = Projection::without_bias(layer, Part::PerLayerGate);
    for_each_run(task, [part], groups, operands, room, |[mut products]| {
        products.check(|row| task.batch.fail(row));
        let output = products.first;
        for (row, gates) in products.rows().enumerate() {
            let values = rows.row(row, shape.all_per_layer() as usize)?;
            let values = values.get(start + output..)?.get(..gates.len())?;
            let out = out.row(row, output, gates.len())?;
            elementwise::copy(values, out)?;
            elementwise::geglu(gates, out)?;
        }
        Some(())
    })
}
