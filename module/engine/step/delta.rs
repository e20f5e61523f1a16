// SPDX-License-Identifier: GPL-2.0
//! The gated delta rule (Yang, Kautz and Hatamizadeh, 2024): each head keeps a matrix, which decays
//! and takes up what its value differs from what its key finds there.

use crate::model::Part;
use crate::simd::delta;
use crate::simd::elementwise;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::task::Task;

/// One head over the rows of one sequence in a pass.
pub struct HeadRows<'a> {
    /// The head.
    pub head: u32,
    /// First row of the sequence in the batch.
    pub first: usize,
    /// Rows of the sequence: (row, `stride`).
    pub rows: &'a [f32],
    /// Values from one row to the next.
    pub stride: usize,
    /// The matrix as the rows before left it: (key dimension, value dimension); `None` for zeros.
    pub before: Option<&'a [f32]>,
    /// The matrix after the last row.
    pub matrix: &'a mut [f32],
}

/// Takes the rows of a head of `layer` one after the other, and hands `put` each row of the batch
/// with what it gives; `room` is for four heads.
pub fn run(
    task: &Task<'_>,
    layer: u32,
    head: HeadRows<'_>,
    room: &mut [f32],
    mut put: impl FnMut(usize, &[f32]) -> Option<()>,
) -> Option<()> {
    let shape = task.shape(layer)?;
    let parts = task.layer(layer)?;
    let epsilon = task.model.shape.epsilon;
    let size = shape.head_size as usize;
    let number = head.head as usize;
    let of_head = |part| Some(*parts.vector(part).values(task.arena)?.get(number)?);
    let (bias, decay) = (of_head(Part::DeltaTimeBias)?, of_head(Part::DeltaDecay)?);
    let weight = parts.vector(Part::MixerNorm).values(task.arena)?;
    let key_head = head.head.checked_rem(shape.kv_heads)? as usize * size;
    let keys = shape.kv_heads as usize * size;
    let [gate, rate, time] = shape.gate_columns();
    let mut pieces_of_room = pieces_mut(room, size);
    let [query, key, found, out] = core::array::from_fn(|_| pieces_of_room.next());
    let (query, key, found, out) = (query?, key?, found?, out?);
    match head.before {
        Some(before) => elementwise::copy(before, head.matrix)?,
        None => head.matrix.fill(0.0),
    }
    for (row, values) in (head.first..).zip(pieces(head.rows, head.stride)) {
        let columns = |first: usize| values.get(first..)?.get(..size);
        norm::unit(columns(key_head)?, epsilon, query)?;
        elementwise::scale(query, shape.root_of_size());
        norm::unit(columns(keys + key_head)?, epsilon, key)?;
        let value = columns(2 * keys + number * size)?;
        let step = delta::Step {
            query,
            key,
            value,
            rate: elementwise::sigmoid(*values.get(rate + number)?),
            decay: delta::decay(*values.get(time + number)? + bias, decay),
        };
        delta::step(head.matrix, &step, found)?;
        norm::rms(found, weight, epsilon, out)?;
        elementwise::swiglu(columns(gate + number * size)?, out)?;
        if !crate::math::finite::finite(out) {
            task.batch.fail(row);
        }
        put(row, out)?;
    }
    Some(())
}
