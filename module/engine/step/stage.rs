// SPDX-License-Identifier: GPL-2.0
//! The stages of a step and their chunks.

use crate::model::matrix::Matrix;
use crate::model::vector::Vector;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::TILE_ROWS;
use crate::step::batch::NARROW_ROWS;
use crate::step::kv::SEGMENT;
use crate::step::places::NARROW_GROUPS;
use crate::step::places::WIDE_GROUPS;
use crate::step::query_key_value;
use crate::step::task::Task;

/// Weight bytes, or as much work, that a chunk should have.
const CHUNK_BYTES: u64 = 64 << 10;
/// The same for a chunk of matrix rows with a wide batch, whose weights stay in the cache.
const WIDE_CHUNK_BYTES: u64 = 256 << 10;
/// Stages of a layer when each worker packs the inputs for itself.
const NARROW_STAGES: u32 = 5;
/// Stages of a layer when inputs are packed in stages of their own.
const WIDE_STAGES: u32 = 9;

/// What the rows of a matrix stage are multiplied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Normalized residual stream, for query, key and value of a layer.
    Attention(u32),
    /// Merged attention, for the output projection.
    AttentionOutput(u32),
    /// Normalized residual stream, for gate and up.
    FeedForward(u32),
    /// Hidden layer, for down.
    Down(u32),
    /// Normalized residual stream of the rows with logits.
    Head,
}

/// One stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Token embeddings.
    Embedding,
    /// Packing of an input, cut by rows.
    Pack(Input),
    /// The matrices that multiply an input, cut by groups.
    Multiply(Input),
    /// Attention of a layer, cut by tile of rows, kv head and segment.
    Attention(u32),
}

/// A stage and how it is cut for a batch.
#[derive(Clone, Copy)]
pub struct Planned {
    /// The stage.
    pub stage: Stage,
    /// Its chunks.
    pub cut: Cut,
}

impl Planned {
    /// Stage number `index`; `None` past the end.
    pub fn new(task: &Task<'_>, index: u32) -> Option<Planned> {
        let stage = Stage::new(task, index)?;
        let cut = stage.cut(task)?;
        Some(Planned { stage, cut })
    }
}

/// How a stage is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Units: tiles of rows, groups, or (tile of rows, kv head, segment).
    pub units: u32,
    /// Units of each chunk but the last.
    pub each: u32,
    /// Work of a unit, in weight bytes.
    pub unit_work: u64,
}

impl Cut {
    /// Chunks of as many units as make up [`CHUNK_BYTES`], at most `most`.
    fn new(units: u32, unit_work: u64, most: u32) -> Cut {
        Cut::of(units, unit_work, most, CHUNK_BYTES)
    }

    /// Chunks of as many units as make up `work`, at most `most`.
    fn of(units: u32, unit_work: u64, most: u32, work: u64) -> Cut {
        let each = work
            .checked_div(unit_work)
            .unwrap_or(1)
            .clamp(1, u64::from(most.max(1)));
        Cut {
            units,
            each: each as u32,
            unit_work,
        }
    }

    /// Number of chunks, at least 1.
    pub fn chunks(&self) -> u32 {
        self.units
            .checked_add(self.each - 1)
            .and_then(|n| n.checked_div(self.each))
            .unwrap_or(0)
            .max(1)
    }

    /// First unit and number of units of `chunk`; `None` past the end.
    pub fn chunk(&self, chunk: u32) -> Option<(u32, u32)> {
        let first = chunk.checked_mul(self.each)?;
        let count = self.units.checked_sub(first)?.min(self.each);
        (count > 0).then_some((first, count))
    }

    /// Work of a chunk, in weight bytes.
    pub fn work(&self) -> u64 {
        self.unit_work
            .saturating_mul(u64::from(self.each.min(self.units)))
    }
}

impl Input {
    /// Values of a row.
    pub fn columns(self, task: &Task<'_>) -> usize {
        let shape = &task.model.shape;
        let columns = match self {
            Input::AttentionOutput(_) => shape.query_columns(),
            Input::Down(_) => shape.feed_forward,
            Input::Attention(_) | Input::FeedForward(_) | Input::Head => shape.embedding,
        };
        columns as usize
    }

    /// The matrices that multiply it.
    fn matrices<'a>(self, task: &Task<'a>) -> Option<[&'a Matrix; 3]> {
        Some(match self {
            Input::Attention(layer) => {
                let layer = task.layer(layer)?;
                [&layer.query, &layer.key, &layer.value]
            }
            Input::AttentionOutput(layer) => [&task.layer(layer)?.output; 3],
            Input::FeedForward(layer) => {
                let layer = task.layer(layer)?;
                [
                    if layer.gate.exists() {
                        &layer.gate
                    } else {
                        &layer.up
                    },
                    &layer.up,
                    &layer.up,
                ]
            }
            Input::Down(layer) => [&task.layer(layer)?.down; 3],
            Input::Head => [&task.model.head; 3],
        })
    }

    /// Whether one of its matrices needs rows packed as `kind`.
    pub fn needs(self, task: &Task<'_>, kind: ActivationKind) -> bool {
        let matrices = self.matrices(task);
        matrices.is_some_and(|all| all.iter().any(|matrix| matrix.format.activation() == kind))
    }

    /// Weight and bias of the norm before it.
    pub fn norm<'a>(self, task: &Task<'a>) -> Option<(&'a Vector, &'a Vector)> {
        match self {
            Input::Attention(layer) => {
                let layer = task.layer(layer)?;
                Some((&layer.attention_norm, &layer.attention_norm_bias))
            }
            Input::FeedForward(layer) => {
                let layer = task.layer(layer)?;
                Some((&layer.feed_forward_norm, &layer.feed_forward_norm_bias))
            }
            Input::Head => Some((&task.model.output_norm, &task.model.output_norm_bias)),
            Input::AttentionOutput(_) | Input::Down(_) => None,
        }
    }

    /// Number of rows.
    pub fn rows(self, task: &Task<'_>) -> usize {
        match self {
            Input::Head => task.batch.logits().len(),
            _ => task.batch.rows().len(),
        }
    }

    /// Row of the batch that is row `index` of this input.
    pub fn row(self, task: &Task<'_>, index: usize) -> Option<usize> {
        match self {
            Input::Head => task.batch.logits().get(index).map(|row| usize::from(*row)),
            _ => Some(index),
        }
    }

    /// Whether each worker packs it for itself.
    pub fn is_narrow(self, task: &Task<'_>) -> bool {
        self.rows(task) <= NARROW_ROWS
    }

    /// Groups of the stage that multiplies it, and the bytes of the largest.
    fn groups(self, task: &Task<'_>) -> Option<(u32, u64)> {
        let of = |matrix: &Matrix| (matrix.group_count(), u64::from(matrix.groups.item_bytes()));
        Some(match self {
            Input::Attention(layer) => {
                let layer = task.layer(layer)?;
                let [(_, query), (_, key), (_, value)] =
                    [&layer.query, &layer.key, &layer.value].map(of);
                (query_key_value::groups(layer), query.max(key).max(value))
            }
            Input::AttentionOutput(layer) => of(&task.layer(layer)?.output),
            Input::FeedForward(layer) => {
                let layer = task.layer(layer)?;
                let ((groups, up), (_, gate)) = (of(&layer.up), of(&layer.gate));
                (groups, up + gate)
            }
            Input::Down(layer) => of(&task.layer(layer)?.down),
            Input::Head => of(&task.model.head),
        })
    }
}

/// Most stages of a step of a model with `layers` layers.
pub fn most(layers: u32) -> usize {
    1 + layers as usize * WIDE_STAGES as usize + 2
}

/// Number of stages of a step.
pub fn count(task: &Task<'_>) -> u32 {
    let head = match task.batch.logits().len() {
        0 => 0,
        _ if Input::Head.is_narrow(task) => 1,
        _ => 2,
    };
    1 + task.model.shape.layers * stages_per_layer(task) + head
}

/// Stages of each layer.
fn stages_per_layer(task: &Task<'_>) -> u32 {
    if task.batch.rows().len() <= NARROW_ROWS {
        NARROW_STAGES
    } else {
        WIDE_STAGES
    }
}

impl Stage {
    /// Stage number `index`; `None` past the end.
    fn new(task: &Task<'_>, index: u32) -> Option<Stage> {
        if index >= count(task) {
            return None;
        }
        let Some(index) = index.checked_sub(1) else {
            return Some(Stage::Embedding);
        };
        let narrow = stages_per_layer(task) == NARROW_STAGES;
        let (layer, index) = if narrow {
            (index / NARROW_STAGES, index % NARROW_STAGES)
        } else {
            (index / WIDE_STAGES, index % WIDE_STAGES)
        };
        if layer >= task.model.shape.layers {
            let pack = index == 0 && !Input::Head.is_narrow(task);
            return Some(if pack {
                Stage::Pack(Input::Head)
            } else {
                Stage::Multiply(Input::Head)
            });
        }
        let [a, b, c, d] = [
            Input::Attention(layer),
            Input::AttentionOutput(layer),
            Input::FeedForward(layer),
            Input::Down(layer),
        ];
        Some(match (narrow, index) {
            (true, 0) | (false, 1) => Stage::Multiply(a),
            (true, 1) | (false, 2) => Stage::Attention(layer),
            (true, 2) | (false, 4) => Stage::Multiply(b),
            (true, 3) | (false, 6) => Stage::Multiply(c),
            (true, 4) | (false, 8) => Stage::Multiply(d),
            (false, 0) => Stage::Pack(a),
            (false, 3) => Stage::Pack(b),
            (false, 5) => Stage::Pack(c),
            (false, 7) => Stage::Pack(d),
            _ => return None,
        })
    }

    /// How the stage is cut for this batch.
    fn cut(self, task: &Task<'_>) -> Option<Cut> {
        let tiles = |rows: usize| rows.div_ceil(TILE_ROWS) as u32;
        match self {
            Stage::Embedding => {
                let bytes = u64::from(task.model.shape.embedding) * 16;
                Some(Cut::new(tiles(task.batch.rows().len()), bytes, u32::MAX))
            }
            Stage::Pack(input) => {
                let bytes = input.columns(task) as u64 * 16;
                Some(Cut::new(tiles(input.rows(task)), bytes, u32::MAX))
            }
            Stage::Multiply(input) => {
                let (groups, bytes) = input.groups(task)?;
                let work = bytes * u64::from(tiles(input.rows(task)));
                Some(if input.is_narrow(task) {
                    Cut::new(groups, work, NARROW_GROUPS)
                } else {
                    Cut::of(groups, work, WIDE_GROUPS, WIDE_CHUNK_BYTES)
                })
            }
            Stage::Attention(_) => {
                let shape = &task.model.shape;
                let rows = task.batch.rows();
                let longest = rows
                    .iter()
                    .map(|row| row.position)
                    .max()?
                    .min(SEGMENT as u32 - 1);
                let units = tiles(rows.len()) * shape.kv_heads * task.batch.segments();
                let bytes = u64::from(longest + 1) * u64::from(shape.head_size) * 4;
                let heads = shape.group() * rows.len().min(TILE_ROWS) as u32;
                Some(Cut::new(
                    units,
                    bytes * u64::from(heads.div_ceil(2)),
                    u32::MAX,
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_the_units_once() {
        for (units, work, most) in [
            (1, 1, 16),
            (7, 100_000, 4),
            (33, 9000, 16),
            (64, 1, u32::MAX),
        ] {
            let cut = Cut::new(units, work, most);
            let mut next = 0;
            for chunk in 0..cut.chunks() {
                let (first, count) = cut.chunk(chunk).expect("a chunk");
                assert!(first == next && count >= 1 && count <= most);
                next = first + count;
            }
            assert_eq!(next, units);
            assert_eq!(cut.chunk(cut.chunks()), None);
            let work = cut.work();
            assert!(work <= CHUNK_BYTES || cut.each == 1);
            assert!(work > CHUNK_BYTES / 2 || cut.each >= units.min(most));
        }
    }
}
