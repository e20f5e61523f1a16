// SPDX-License-Identifier: GPL-2.0
//! Packed activations: made by each worker for itself while the batch is narrow, else in a stage of
//! their own, cut by rows.

use crate::memory::kv::SEGMENT;
use crate::model::Part;
use crate::model::architecture::Norm;
use crate::model::layer_shape::LayerShape;
use crate::model::matrix::Matrix;
use crate::simd::activation;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::TILE_ROWS;
use crate::simd::attention::partial::partial_values;
use crate::simd::elementwise;
use crate::simd::elementwise::sigmoid;
use crate::simd::format::Error;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::input::Input;
use crate::step::merge::Partials;
use crate::step::merge::merge;
use crate::step::task::Task;

/// Rows of step memory.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// (row, `stride`).
    pub values: &'a [f32],
    /// Values from one row to the next.
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// The first `count` values of `row`.
    pub fn row(&self, row: usize, count: usize) -> Option<&'a [f32]> {
        pieces(self.values, self.stride).nth(row)?.get(..count)
    }
}

/// Where the values of an input come from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The residual stream, to be normalized.
    Residual(Rows<'a>),
    /// Partial results of attention of a layer, to be merged: (row, kv head, segment, head, values);
    /// and the queries, which may have gates.
    Partial(u32, &'a [f32], Rows<'a>),
    /// A hidden layer, as it is.
    Hidden(Rows<'a>),
    /// Columns from this one on, to be normalized.
    Columns(Rows<'a>, usize),
    /// Columns of each head from this one on, heads so far apart.
    Heads(Rows<'a>, usize, usize),
}

/// Packed rows, in the kinds that the stage's matrices need; the others are stale.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    /// As f32.
    pub float: &'a [u8],
    /// In 8-bit blocks of 32.
    pub int8: &'a [u8],
    /// In 8-bit blocks of 256.
    pub int8_wide: &'a [u8],
}

impl<'a> Packed<'a> {
    /// `rows` packed rows for `matrix` from row `first` on, with which a tile begins.
    pub fn rows(&self, matrix: &Matrix, first: usize, rows: usize) -> Option<&'a [u8]> {
        let kind = matrix.format.activation();
        let bytes = kind.bytes(matrix.columns as usize)?;
        let all = match kind {
            ActivationKind::F32 => self.float,
            ActivationKind::Int8Per32 => self.int8,
            ActivationKind::Int8Per256 => self.int8_wide,
        };
        let length = rows.checked_mul(bytes)?;
        if first == 0 {
            return all.get(..length);
        }
        all.get(first.checked_mul(bytes)?..)?.get(..length)
    }
}

/// Room for packed rows, and for the values of a tile of rows.
pub struct Room<'a> {
    /// Values of [`TILE_ROWS`] rows.
    pub values: &'a mut [f32],
    /// One partial result of attention.
    pub partial: &'a mut [f32],
    /// Packed rows as f32.
    pub float: &'a mut [u8],
    /// Packed rows in 8-bit blocks of 32.
    pub int8: &'a mut [u8],
    /// Packed rows in 8-bit blocks of 256.
    pub int8_wide: &'a mut [u8],
}

/// Packs `count` rows of `input` from its row `first` on, with which a tile begins, to the start of
/// `room`.
pub fn pack(
    task: &Task<'_>,
    input: Input,
    source: Source<'_>,
    first: usize,
    count: usize,
    room: Room<'_>,
) -> Option<()> {
    let columns = input.columns(task);
    let kinds = input.kinds(task);
    let mut done = 0;
    while done < count {
        let rows = (count - done).min(input.tile_rows());
        let values = room.values.get_mut(..rows.checked_mul(columns)?)?;
        for (index, values) in pieces_mut(values, columns).enumerate() {
            fill(
                task,
                input,
                source,
                first + done + index,
                room.partial,
                values,
            )?;
        }
        for (needed, kind, out) in [
            (kinds.float, ActivationKind::F32, &mut *room.float),
            (kinds.int8, ActivationKind::Int8Per32, &mut *room.int8),
            (
                kinds.int8_wide,
                ActivationKind::Int8Per256,
                &mut *room.int8_wide,
            ),
        ] {
            if !needed {
                continue;
            }
            let bytes = kind.bytes(columns)?;
            let out = out
                .get_mut(done * bytes..)?
                .get_mut(..rows.checked_mul(bytes)?)?;
            pack_tile(task, kind, columns, values, out, |index| {
                if let Some(row) = input.row(task, first + done + index) {
                    task.batch.fail(row);
                }
            })?;
        }
        done += rows;
    }
    Some(())
}

/// The unpacked values of row `index` of `input`.
fn fill(
    task: &Task<'_>,
    input: Input,
    source: Source<'_>,
    index: usize,
    room: &mut [f32],
    out: &mut [f32],
) -> Option<()> {
    match source {
        Source::Residual(rows) => {
            let values = rows.row(input.row(task, index)?, out.len())?;
            match input.norm(task) {
                Some(parts) => normalize_row(task, input.layer(), parts, values, out)?,
                None => out.copy_from_slice(values),
            }
        }
        Source::Partial(layer, values, queries) => {
            let row = input.row(task, index)?;
            merge_row(task, layer, row, values, room, out)?;
            let own = task.shape(layer)?;
            if own.query_stride != own.head_size {
                let queries = queries.row(row, own.query_columns() as usize)?;
                gate(own, queries, out)?;
            }
        }
        Source::Columns(rows, first) => {
            let values = rows.row(input.row(task, index)?, first.checked_add(out.len())?)?;
            let parts = input.norm(task)?;
            normalize_row(task, input.layer(), parts, values.get(first..)?, out)?;
        }
        Source::Heads(rows, first, apart) => {
            let head = index.checked_rem(input.rows_of_each(task))?;
            let start = head.checked_mul(apart)?.checked_add(first)?;
            let values = rows.row(input.row(task, index)?, start.checked_add(out.len())?)?;
            elementwise::copy(values.get(start..)?, out)?;
        }
        Source::Hidden(rows) => out.copy_from_slice(rows.row(index, out.len())?),
    }
    Some(())
}

/// Merges what row `row` of the batch attended to in `layer` into `out`, (head, dimension); `values` has
/// the partial results of all rows.
#[inline(always)]
pub fn merge_row(
    task: &Task<'_>,
    layer: u32,
    row: usize,
    values: &[f32],
    room: &mut [f32],
    out: &mut [f32],
) -> Option<()> {
    let shape = &task.model.shape;
    let own = task.shape(layer)?;
    let head_size = own.head_size as usize;
    let stride = task.batch.segments() as usize;
    let heads = (own.heads as usize).checked_mul(stride)?;
    let bytes = heads.checked_mul(partial_values(head_size))?;
    let of_row = task.batch.rows().get(row)?;
    let (position, last) = (of_row.position as usize, of_row.last as usize);
    let sinks = task.layer(layer)?.vector(Part::Sinks);
    let partials = Partials {
        values: pieces(values, bytes).nth(row)?,
        stride,
        first: shape.window.first(layer, position) / SEGMENT,
        end: shape.window.last(layer, position, last) / SEGMENT + 1,
        group: own.group() as usize,
        head_size,
        sinks: sinks.values(task.arena),
    };
    merge(partials, room, out)
}

/// Multiplies what each head gives by the sigmoids of what is behind its query.
#[inline(never)]
fn gate(layer: &LayerShape, queries: &[f32], out: &mut [f32]) -> Option<()> {
    let size = layer.head_size as usize;
    let queries = pieces(queries, layer.query_stride as usize);
    for (query, out) in queries.zip(pieces_mut(out, size)) {
        for (gate, out) in query.get(size..)?.iter().zip(out) {
            *out *= sigmoid(*gate);
        }
    }
    Some(())
}

/// The norm of the model with the weight and bias called `parts`, of `layer` or of the whole model.
pub fn normalize_row(
    task: &Task<'_>,
    layer: Option<u32>,
    (weight, bias): (Part, Part),
    values: &[f32],
    out: &mut [f32],
) -> Option<()> {
    let vector = |part| match layer {
        Some(layer) => Some(task.layer(layer)?.vector(part)),
        None => Some(task.model.parts.vector(part)),
    };
    let epsilon = task.model.shape.epsilon;
    let weight = vector(weight)?.values(task.arena)?;
    match task.model.shape.architecture.norm {
        Norm::Rms => norm::rms(values, weight, epsilon, out),
        Norm::Layer | Norm::LayerWithBias => match vector(bias)?.values(task.arena) {
            Some(bias) => norm::layer(values, weight, bias, epsilon, out),
            None => norm::layer_without_bias(values, weight, epsilon, out),
        },
    }
}

/// Packs a tile of rows. A row that cannot be packed becomes zeros, so that the rows beside it are what
/// they would be without it; `fail` is called with its place in the tile.
pub fn pack_tile(
    task: &Task<'_>,
    kind: ActivationKind,
    columns: usize,
    values: &mut [f32],
    out: &mut [u8],
    fail: impl Fn(usize),
) -> Option<()> {
    let blocks = match kind {
        ActivationKind::F32 => columns,
        ActivationKind::Int8Per32 => columns / activation::INT8_BLOCK,
        ActivationKind::Int8Per256 => columns / activation::WIDE_BLOCK,
    };
    for _ in 0..=TILE_ROWS {
        match activation::pack(task.model.level, kind, columns, values, out) {
            Ok(()) => return Some(()),
            Err(Error::Shape) => return None,
            Err(Error::NotFinite { block }) => {
                let row = block.checked_div(blocks)?;
                fail(row);
                pieces_mut(values, columns).nth(row)?.fill(0.0);
            }
        }
    }
    None
}
