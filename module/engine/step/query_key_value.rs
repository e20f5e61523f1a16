// SPDX-License-Identifier: GPL-2.0
//! Query, key and value projections, with bias, rotation and the store into the cache.

use core::ops::Range;

use crate::memory::cache::Cell;
use crate::memory::cache::Store;
use crate::memory::columns::Columns;
use crate::model::Part;
use crate::model::architecture::HeadNorm;
use crate::simd::elementwise::clamp;
use crate::simd::rope::rotate;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::product::for_each_run;
use crate::step::task::Task;

/// Matrix and bias of the three projections, in the order of the stage.
const PARTS: [(Part, Part); 3] = [
    (Part::Query, Part::QueryBias),
    (Part::Key, Part::KeyBias),
    (Part::Value, Part::ValueBias),
];

/// Where the outputs go: (row, head * head size), and the cache.
pub struct Outputs<'a> {
    /// Queries of the chunk's columns; keys behind them, where a later stage normalizes whole heads.
    pub query: Columns<'a>,
    /// The cache of the layer.
    pub cache: Store<'a>,
}

/// Computes `groups` of the stage for all rows: those of the three matrices, one after the other.
pub fn run(
    task: &Task<'_>,
    layer: u32,
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut outputs: Outputs<'_>,
) -> Option<()> {
    let mut before = 0;
    let most = task.model.shape.scales.clamp;
    for (matrix, bias) in PARTS {
        let part = Projection::of(task.layer(layer)?, matrix, bias);
        let count = part.matrix.group_count();
        let within = |group: u32| group.saturating_sub(before).min(count);
        let own = within(groups.start)..within(groups.end);
        for_each_run(task, [part], own, operands, room, |[mut products]| {
            products.check(|row| task.batch.fail(row));
            if most != 0.0 {
                clamp(products.values(), most);
            }
            let output = products.first;
            for (row, values) in products.rows().enumerate() {
                put(task, layer, matrix, row, output, values, &mut outputs)?;
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
    layer: u32,
    part: Part,
    row: usize,
    first: usize,
    values: &mut [f32],
    outputs: &mut Outputs<'_>,
) -> Option<()> {
    let shape = &task.model.shape;
    let own = task.shape(layer)?;
    let head_size = own.head_size as usize;
    let whole_heads = shape.architecture.head_norm != HeadNorm::None;
    if part != Part::Value && !whole_heads {
        let position = task.batch.rows().get(row)?.position;
        if let Some(rotation) = task.model.rotation(task.arena, layer, position) {
            rotate(values, first.checked_rem(head_size)?, head_size, rotation);
        }
    }
    let column = match part {
        Part::Query => Some(first),
        Part::Key if whole_heads => Some(own.key_column().checked_add(first)?),
        Part::Value if shape.architecture.value_norm => {
            Some(own.value_column().checked_add(first)?)
        }
        _ => None,
    };
    if let Some(column) = column {
        outputs
            .query
            .row(row, column, values.len())?
            .copy_from_slice(values);
        return Some(());
    }
    let mut rest = &*values;
    // CAST: Below the number of heads.
    #[expect(clippy::cast_possible_truncation)]
    let mut head = first.checked_div(head_size)? as u32;
    let mut dimension = first.checked_rem(head_size)?;
    while !rest.is_empty() {
        let (values, after) = rest.split_at_checked((head_size - dimension).min(rest.len()))?;
        let cell = Cell {
            value: part == Part::Value,
            head,
            // CAST: Below `head_size`.
            #[expect(clippy::cast_possible_truncation)]
            dimension: dimension as u32,
        };
        outputs.cache.put(row, cell, values)?;
        (rest, head, dimension) = (after, head + 1, 0);
    }
    Some(())
}
