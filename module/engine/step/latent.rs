// SPDX-License-Identifier: GPL-2.0
//! Latent attention (DeepSeek-AI, 2024). The cache has one row a position, of all heads: what keys and
//! values are made from, and what all keys have that rotates. Queries are turned into what they ask of
//! that row, and what is found there into values, so that neither is ever made for a position.

use core::ops::Range;

use crate::memory::cache::Cell;
use crate::memory::cache::Store;
use crate::memory::columns::Columns;
use crate::model::Part;
use crate::simd::elementwise;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::simd::rope::rotate;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Normalizes and rotates what is in `values`, which has all columns of row `row` of the batch, and
/// stores what `layer` keeps of it in `cache`; `room` is for what keys are made from.
pub fn prepare(
    task: &Task<'_>,
    layer: u32,
    row: usize,
    values: &mut [f32],
    room: &mut [f32],
    cache: &mut Store<'_>,
) -> Option<()> {
    let (shape, own) = (&task.model.shape, task.shape(layer)?);
    let [first, kept, made, end] = own.latent_columns(&shape.latent);
    let (rank, size, rotated) = (
        shape.latent.rank as usize,
        own.head_size as usize,
        own.rotated as usize,
    );
    let position = task.batch.rows().get(row)?.position;
    let rotation = task.model.rotations(task.arena, layer)?.of(position)?;
    let (queries, rest) = values.get_mut(..end)?.split_at_mut_checked(first)?;
    let (front, projected) = rest.split_at_mut_checked(made.checked_sub(first)?)?;
    let kept = front.get_mut(kept.checked_sub(first)?..)?.get_mut(..size)?;
    let (latent, turning) = kept.split_at_mut_checked(rank)?;
    let room = room.get_mut(..rank)?;
    elementwise::copy(latent, room)?;
    let weight = task.layer(layer)?.vector(Part::LatentNorm);
    norm::rms(room, weight.values(task.arena)?, shape.epsilon, latent)?;
    rotate(turning, 0, rotated, rotation);
    for value in [false, true] {
        let cell = Cell {
            value,
            head: 0,
            dimension: 0,
        };
        cache.put_head(row, cell, kept)?;
    }
    let projected = pieces(projected, own.key_size as usize);
    let heads = pieces_mut(queries, size).zip(projected);
    for (query, projected) in heads.take(own.heads as usize) {
        let turning = query.get_mut(rank..)?;
        let start = projected.len().checked_sub(rotated)?;
        elementwise::copy(projected.get(start..)?, turning)?;
        rotate(turning, 0, rotated, rotation);
    }
    Some(())
}

/// Computes `groups` of the part of `head` in `part`, which has a matrix of each of `heads`, for all rows
/// of the batch; outputs go to the columns of `out` from `first` on.
#[inline(always)]
pub fn by_head(
    task: &Task<'_>,
    part: Projection<'_>,
    (head, heads): (u32, u32),
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    (out, first): (&mut Columns<'_>, usize),
) -> Option<()> {
    let part = part.expert(head)?;
    for row in 0..task.batch.rows().len() {
        let operands = Operands {
            first: row.checked_mul(heads as usize)? + head as usize,
            rows: 1,
            ..operands
        };
        for_each_run(
            task,
            [part],
            groups.clone(),
            operands,
            room,
            |[mut products]| {
                products.check(|_| task.batch.fail(row));
                let output = first + products.first;
                for values in products.rows() {
                    elementwise::copy(values, out.row(row, output, values.len())?)?;
                }
                Some(())
            },
        )?;
    }
    Some(())
}
