// SPDX-License-Identifier: GPL-2.0
//! Norms and rotation of whole heads of queries and keys, and the store of the keys.

use crate::memory::cache::Cell;
use crate::memory::cache::Store;
use crate::model::Part;
use crate::model::architecture::HeadNorm;
use crate::model::order::Order;
use crate::simd::elementwise;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::simd::rope::rotate;
use crate::step::task::Task;

/// What a unit of one row has: some kv heads and the query heads that share them.
pub struct Heads<'a> {
    /// Row of the batch.
    pub row: usize,
    /// The first kv head.
    pub first: u32,
    /// (query head, dimension).
    pub queries: &'a mut [f32],
    /// (kv head, dimension); none where the layer has those of another.
    pub keys: &'a mut [f32],
    /// The same of the values, where they are normalized too.
    pub values: &'a mut [f32],
}

/// Normalizes and rotates the heads of a unit of `layer`, and stores the keys in `cache`; `room` is
/// for as many values as the queries have.
pub fn run(
    task: &Task<'_>,
    layer: u32,
    heads: Heads<'_>,
    room: &mut [f32],
    cache: &mut Store<'_>,
) -> Option<()> {
    let shape = &task.model.shape;
    let own = task.shape(layer)?;
    let head_size = own.head_size as usize;
    let position = task.batch.rows().get(heads.row)?.position;
    let rotations = task.model.rotations(task.arena, layer);
    let rotation = rotations.and_then(|rotations| rotations.of(position));
    if !task.layer(layer)?.matrix(Part::Value).exists() {
        // Keys are kept in another order than values.
        let order = Order::of(Part::Key, shape, own);
        let keys = pieces(heads.keys, head_size);
        for (key, value) in keys.zip(pieces_mut(heads.values, head_size)) {
            for (dimension, key) in (0..).zip(key) {
                *value.get_mut(order.source(dimension) as usize)? = *key;
            }
        }
    }
    for (part, values) in [
        (Part::QueryNorm, &mut *heads.queries),
        (Part::KeyNorm, &mut *heads.keys),
    ] {
        if values.is_empty() {
            continue;
        }
        let weight = task.layer(layer)?.vector(part).values(task.arena)?;
        let stride = own.query_stride_of(part) as usize;
        if stride != head_size {
            // Behind each query is its gate.
            for values in pieces_mut(values, stride) {
                let values = values.get_mut(..head_size)?;
                let room = room.get_mut(..head_size)?;
                elementwise::copy(values, room)?;
                norm::rms(room, weight, shape.epsilon, values)?;
                if let Some(rotation) = rotation {
                    rotate(values, 0, head_size, rotation);
                }
            }
            continue;
        }
        let each = match shape.architecture.head_norm {
            HeadNorm::Row => values.len(),
            HeadNorm::None | HeadNorm::Head => head_size,
        };
        for values in pieces_mut(values, each) {
            let room = room.get_mut(..values.len())?;
            room.copy_from_slice(values);
            norm::rms(room, weight, shape.epsilon, values)?;
        }
        if let Some(rotation) = rotation {
            rotate(values, 0, head_size, rotation);
        }
    }
    for (head, key) in (heads.first..).zip(pieces_mut(heads.keys, head_size)) {
        let cell = Cell {
            value: false,
            head,
            dimension: 0,
        };
        cache.put_head(heads.row, cell, key)?;
    }
    for (head, value) in (heads.first..).zip(pieces_mut(heads.values, head_size)) {
        norm::rms_without_weight(value, shape.epsilon);
        let cell = Cell {
            value: true,
            head,
            dimension: 0,
        };
        cache.put_head(heads.row, cell, value)?;
    }
    Some(())
}
