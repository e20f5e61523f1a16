// SPDX-License-Identifier: GPL-2.0
//! Query, key and value projections, with bias, rotation and the store into the cache.

use crate::model::Layer;
use crate::model::matrix::Matrix;
use crate::model::vector::Vector;
use crate::step::input::Packed;
use crate::step::product::Products;
use crate::step::rope::rotate;
use crate::step::task::Task;
use crate::wall::cache::Cell;
use crate::wall::cache::Store;
use crate::wall::columns::Columns;

/// One of the three projections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// Queries, for the attention of this pass.
    Query,
    /// Keys, for the cache.
    Key,
    /// Values, for the cache.
    Value,
}

impl Projection {
    /// Matrix and bias.
    fn parts(self, layer: &Layer) -> (&Matrix, &Vector) {
        match self {
            Projection::Query => (&layer.query, &layer.query_bias),
            Projection::Key => (&layer.key, &layer.key_bias),
            Projection::Value => (&layer.value, &layer.value_bias),
        }
    }
}

/// Where the outputs go: (row, head * head size), and the cache.
pub struct Outputs<'a> {
    /// Queries of the chunk's columns.
    pub query: Columns<'a>,
    /// The cache of the layer.
    pub cache: Store<'a>,
}

/// Groups of the stage: those of the three matrices, one after the other.
pub fn groups(layer: &Layer) -> u32 {
    layer.query.group_count() + layer.key.group_count() + layer.value.group_count()
}

/// Which matrix `group` of the stage belongs to, and its number there.
pub fn locate(layer: &Layer, group: u32) -> (Projection, u32) {
    let Some(group) = group.checked_sub(layer.query.group_count()) else {
        return (Projection::Query, group);
    };
    match group.checked_sub(layer.key.group_count()) {
        None => (Projection::Key, group),
        Some(group) => (Projection::Value, group),
    }
}

/// Computes `count` groups of the stage from `first` on, for all rows.
pub fn run(
    task: &Task<'_>,
    layer: &Layer,
    first: u32,
    count: u32,
    input: Packed<'_>,
    room: &mut [f32],
    mut outputs: Outputs<'_>,
) -> Option<()> {
    let rows = task.batch.rows().len();
    let mut done = 0;
    while done < count {
        let (projection, group) = locate(layer, first + done);
        let (matrix, bias) = projection.parts(layer);
        let mut products =
            Products::new(task, matrix, group, count - done, rows, input, &mut *room)?;
        products.add_bias(bias.values(task.arena));
        products.check(|row| task.batch.fail(row));
        let output = products.first;
        for (row, values) in products.rows().enumerate() {
            put(task, projection, row, output, values, &mut outputs)?;
        }
        done += products.groups();
    }
    Some(())
}

/// Rotates and stores the outputs of one row from output `first` of its matrix on.
fn put(
    task: &Task<'_>,
    projection: Projection,
    row: usize,
    first: usize,
    values: &mut [f32],
    outputs: &mut Outputs<'_>,
) -> Option<()> {
    let head_size = task.model.shape.head_size as usize;
    let dimension = first.checked_rem(head_size)?;
    if projection != Projection::Value {
        let position = task.batch.rows().get(row)?.position;
        if let Some(rotation) = task.model.rotation(task.arena, position) {
            rotate(values, dimension, head_size, rotation);
        }
    }
    if projection == Projection::Query {
        outputs
            .query
            .row(row, first, values.len())?
            .copy_from_slice(values);
        return Some(());
    }
    let mut rest = &*values;
    let mut head = first.checked_div(head_size)? as u32;
    let mut dimension = dimension;
    while !rest.is_empty() {
        let (part, after) = rest.split_at_checked((head_size - dimension).min(rest.len()))?;
        let value = projection == Projection::Value;
        outputs.cache.put(
            row,
            Cell {
                value,
                head,
                dimension: dimension as u32,
            },
            part,
        )?;
        (rest, head, dimension) = (after, head + 1, 0);
    }
    Some(())
}
