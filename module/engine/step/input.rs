// SPDX-License-Identifier: GPL-2.0
//! The packed activations that a matrix stage multiplies with: made by each worker for itself while
//! the batch is narrow, else in a stage of their own, cut by rows.

use crate::model::matrix::Matrix;
use crate::simd::activation;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::TILE_ROWS;
use crate::simd::attention::partial::partial_values;
use crate::simd::format::Error;
use crate::simd::norm;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::kv::SEGMENT;
use crate::step::merge::Partials;
use crate::step::merge::merge;
use crate::step::stage::Input;
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
    /// Partial results of attention, to be merged: (row, kv head, segment, head, values).
    Partial(&'a [f32]),
    /// The hidden layer of the feed-forward network, as it is.
    Hidden(Rows<'a>),
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
    /// The first `rows` packed rows for `matrix`.
    pub fn rows(&self, matrix: &Matrix, rows: usize) -> Option<&'a [u8]> {
        let kind = matrix.format.activation();
        let bytes = kind.bytes(matrix.columns as usize)?.checked_mul(rows)?;
        match kind {
            ActivationKind::F32 => self.float.get(..bytes),
            ActivationKind::Int8Per32 => self.int8.get(..bytes),
            ActivationKind::Int8Per256 => self.int8_wide.get(..bytes),
        }
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

/// Packs `count` rows of `input` from its row `first` on, a multiple of [`TILE_ROWS`], to the
/// start of `room`.
pub fn pack(
    task: &Task<'_>,
    input: Input,
    source: Source<'_>,
    first: usize,
    count: usize,
    room: Room<'_>,
) -> Option<()> {
    let columns = input.columns(task);
    let needed = |kind| input.needs(task, kind).then_some(kind);
    let float = needed(ActivationKind::F32);
    let int8 = needed(ActivationKind::Int8Per32);
    let int8_wide = needed(ActivationKind::Int8Per256);
    let mut done = 0;
    while done < count {
        let rows = (count - done).min(TILE_ROWS);
        let values = room.values.get_mut(..rows.checked_mul(columns)?)?;
        for (index, values) in pieces_mut(values, columns).enumerate() {
            let row = input.row(task, first + done + index)?;
            fill(task, input, source, row, room.partial, values)?;
        }
        for (kind, out) in [
            (float, &mut *room.float),
            (int8, &mut *room.int8),
            (int8_wide, &mut *room.int8_wide),
        ] {
            let Some(kind) = kind else { continue };
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

/// The unpacked values of one row.
fn fill(
    task: &Task<'_>,
    input: Input,
    source: Source<'_>,
    row: usize,
    room: &mut [f32],
    out: &mut [f32],
) -> Option<()> {
    match source {
        Source::Residual(rows) => {
            let values = rows.row(row, out.len())?;
            let (weight, bias) = input.norm(task)?;
            let epsilon = task.model.shape.epsilon;
            match bias.values(task.arena) {
                Some(bias) => norm::layer(values, weight.values(task.arena)?, bias, epsilon, out)?,
                None => norm::rms(values, weight.values(task.arena)?, epsilon, out)?,
            }
        }
        Source::Partial(values) => {
            let shape = &task.model.shape;
            let head_size = shape.head_size as usize;
            let stride = task.batch.segments() as usize;
            let heads = (shape.heads as usize).checked_mul(stride)?;
            let bytes = heads.checked_mul(partial_values(head_size))?;
            let position = task.batch.rows().get(row)?.position as usize;
            let partials = Partials {
                values: pieces(values, bytes).nth(row)?,
                stride,
                segments: position / SEGMENT + 1,
                group: shape.group() as usize,
                head_size,
            };
            merge(partials, room, out)?;
        }
        Source::Hidden(rows) => out.copy_from_slice(rows.row(row, out.len())?),
    }
    Some(())
}

/// Packs a tile of rows. A row that cannot be packed is told to `fail` and becomes zeros, so that
/// the rows beside it are what they would be without it.
fn pack_tile(
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
