// SPDX-License-Identifier: GPL-2.0
//! Query, key and value projections, with bias, rotation and the store into the cache.

use core::ops::Range;

use crate::model::Layer;
use crate::step::product;
use crate::step::product::Operands;
use crate::step::product::for_each_run;
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
    /// The three in the order of the stage.
    const ALL: [Projection; 3] = [Projection::Query, Projection::Key, Projection::Value];

    /// Matrix and bias.
    fn of(self, layer: &Layer) -> product::Projection<'_> {
        let (matrix, bias) = match self {
            Projection::Query => (&layer.query, &layer.query_bias),
            Projection::Key => (&layer.key, &layer.key_bias),
            Projection::Value => (&layer.value, &layer.value_bias),
        };
        product::Projection { matrix, bias }
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

/// Computes `groups` of the stage for all rows.
pub fn run(
    task: &Task<'_>,
    layer: &Layer,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut outputs: Outputs<'_>,
) -> Option<()> {
    let mut before = 0;
    for projection in Projection::ALL {
        let part = projection.of(layer);
        let count = part.matrix.group_count();
        let within = |group: u32| group.saturating_sub(before).min(count);
        let own = within(groups.start)..within(groups.end);
        for_each_run(task, [part], own, operands, room, |[mut products]| {
            products.check(|row| task.batch.fail(row));
            let output = products.first;
            for (row, values) in products.rows().enumerate() {
                put(task, projection, row, output, values, &mut outputs)?;
            }
            Some(())
        })?;
        before += count;
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
