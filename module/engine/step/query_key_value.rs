// SPDX-License-Identifier: GPL-2.0
//! Query, key and value projections, with bias, rotation and the store into the cache.

use core::ops::Range;

use crate::memory::cache::Cell;
use crate::memory::cache::Store;
use crate::memory::columns::Columns;
use crate::model::Part;
use crate::model::architecture::HeadNorm;
use crate::model::weights::Rotations;
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
    /// Queries of the chunk's columns; behind them keys and values, where a later stage takes whole heads.
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
        before += count;
        if own.is_empty() {
            continue;
        }
        let target = Target::new(task, layer, matrix)?;
        for_each_run(task, [part], own, operands, room, |[mut products]| {
            products.check(|row| task.batch.fail(row));
            if most != 0.0 {
                clamp(products.values(), most);
            }
            let output = products.first;
            for (row, values) in products.rows().enumerate() {
                target.put(task, row, output, values, &mut outputs)?;
            }
            Some(())
        })?;
    }
    Some(())
}

/// Columns of a step's row where keys and values of `layer` wait to be stored; `None` for what is stored at once, or
/// by the stage that normalizes it.
pub fn waiting(task: &Task<'_>, layer: u32) -> Option<[Option<usize>; 2]> {
    let (own, architecture) = (task.shape(layer)?, task.model.shape.architecture);
    let waits = task.batch.quantized() && !own.shares;
    let keys = waits && architecture.head_norm == HeadNorm::None;
    let values = waits && !architecture.value_norm;
    Some([
        keys.then(|| own.key_column()),
        values.then(|| own.value_column()),
    ])
}

/// Where the outputs of one of the matrices go.
struct Target<'a> {
    /// What queries and keys are turned by; `None` for values, and where a later stage turns whole heads.
    rotations: Option<Rotations<'a>>,
    /// Column of the first output; `None` where outputs go to the cache.
    column: Option<usize>,
    value: bool,
    head_size: usize,
}

impl<'a> Target<'a> {
    /// That of `part` in `layer`.
    fn new(task: &Task<'a>, layer: u32, part: Part) -> Option<Target<'a>> {
        let architecture = task.model.shape.architecture;
        let own = task.shape(layer)?;
        let whole_heads = architecture.head_norm != HeadNorm::None;
        let turns = part != Part::Value && !whole_heads;
        let [keys, values] = match task.batch.quantized() {
            true => waiting(task, layer)?,
            false => [None, None],
        };
        Some(Target {
            rotations: turns
                .then(|| task.model.rotations(task.arena, layer))
                .flatten(),
            column: match part {
                Part::Query => Some(0),
                Part::Key if whole_heads => Some(own.key_column()),
                Part::Key => keys,
                Part::Value if architecture.value_norm => Some(own.value_column()),
                _ => values,
            },
            value: part == Part::Value,
            head_size: own.head_size as usize,
        })
    }

    /// Rotates and stores the outputs of one row from output `first` of the matrix on.
    fn put(
        &self,
        task: &Task<'_>,
        row: usize,
        first: usize,
        values: &mut [f32],
        outputs: &mut Outputs<'_>,
    ) -> Option<()> {
        let mut dimension = first.checked_rem(self.head_size)?;
        if let Some(rotations) = &self.rotations {
            let position = task.batch.rows().get(row)?.position;
            rotate(values, dimension, self.head_size, rotations.of(position)?);
        }
        if let Some(column) = self.column {
            let column = column.checked_add(first)?;
            let out = outputs.query.row(row, column, values.len())?;
            out.copy_from_slice(values);
            return Some(());
        }
        let mut rest = &*values;
        // CAST: Below the number of heads.
        #[expect(clippy::cast_possible_truncation)]
        let mut head = first.checked_div(self.head_size)? as u32;
        while !rest.is_empty() {
            let left = (self.head_size - dimension).min(rest.len());
            let (values, after) = rest.split_at_checked(left)?;
            let cell = Cell {
                value: self.value,
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
}
