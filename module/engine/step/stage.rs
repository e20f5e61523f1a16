// SPDX-License-Identifier: GPL-2.0
//! The stages of a step and their chunks.

use crate::memory::kv::SEGMENT;
use crate::model::Part;
use crate::model::architecture::HeadNorm;
use crate::model::layer_shape::STRIP;
use crate::simd::activation::TILE_ROWS;
use crate::step::adapters;
use crate::step::input::Input;
use crate::step::program::OPERATIONS_MAX;
use crate::step::program::Operation;
use crate::step::program::operations;
use crate::step::query_key_value::waiting;
use crate::step::task::Task;

/// Most groups of a chunk while the batch is narrow.
pub const NARROW_GROUPS: u32 = 16;
/// Most groups of a chunk of a wide batch.
pub const WIDE_GROUPS: u32 = 4;
/// Weight bytes, or as much work, that a chunk should have.
const CHUNK_BYTES: u64 = 64 << 10;
/// The same for a chunk of matrix rows with a wide batch, whose weights stay in the cache.
const WIDE_CHUNK_BYTES: u64 = 256 << 10;

/// A branch of a layer, whose output is normalized before it is added to the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Attention.
    Attention,
    /// Feed-forward network.
    FeedForward,
    /// Embeddings that the layer has of the tokens.
    PerLayer,
}

impl Branch {
    /// Weight and bias of the norm after it.
    pub fn norms(self) -> (Part, Part) {
        match self {
            Branch::Attention => (Part::PostAttentionNorm, Part::PostAttentionNormBias),
            Branch::FeedForward => (Part::PostFeedForwardNorm, Part::PostFeedForwardNormBias),
            Branch::PerLayer => (Part::PostPerLayerNorm, Part::PostPerLayerNorm),
        }
    }

    /// What the residual stream is multiplied by after it.
    pub fn scale(self, task: &Task<'_>, layer: u32) -> Option<f32> {
        let last = match task.model.shape.per_layer {
            0 => Branch::FeedForward,
            _ => Branch::PerLayer,
        };
        let scale = task.layer(layer)?.vector(Part::LayerScale);
        match scale.values(task.arena) {
            Some(scale) if self == last => scale.first().copied(),
            _ => Some(1.0),
        }
    }
}

/// One stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Token embeddings, cut by rows.
    Embedding,
    /// Embeddings that each layer has of the tokens, cut by rows.
    PerLayer,
    /// What was kept of the pass before, cut by rows.
    Resume,
    /// What is kept for the next pass, cut by rows.
    Keep,
    /// The last norm, of rows whose hidden states are wanted, cut by rows.
    Finish,
    /// Packing of an input, cut by rows.
    Pack(Input),
    /// The first matrices of the adapters that multiply an input, cut by groups.
    Reduce(Input),
    /// The matrices that multiply an input, cut by groups.
    Multiply(Input),
    /// Norms and rotation of a layer's queries and keys, cut by tile of rows and kv head.
    Heads(u32),
    /// Keys and values of a layer that wait to be stored, cut by tile of rows and kv head.
    Store(u32),
    /// Attention of a layer, cut by tile of rows, kv head and segment.
    Attention(u32),
    /// The end of a branch of a layer, cut by rows.
    Join(u32, Branch),
    /// Choice of a layer's experts, cut by rows.
    Route(u32),
    /// What latent attention of a layer compares and stores, cut by rows.
    Latent(u32),
    /// Its segments merged, cut by rows.
    Merge(u32),
    /// Convolution of a layer, cut by sequence and strip of columns.
    Convolve(u32),
    /// Delta rule of a layer, cut by sequence and head.
    Delta(u32),
}

/// A stage and how it is cut for a batch.
#[derive(Clone, Copy)]
pub struct Planned {
    /// The stage.
    pub stage: Stage,
    /// Its chunks.
    pub cut: Cut,
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
            // CAST: At most `most`.
            #[expect(clippy::cast_possible_truncation)]
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

/// Most stages of a step of a model with `layers` layers, and perhaps with adapters. Operations that multiply nothing leave
/// room for what is stored later.
pub fn most(layers: u32, adapted: bool) -> usize {
    let each = if adapted { 3 } else { 2 };
    2 + (layers as usize * OPERATIONS_MAX + 4) * each
}

/// Plans the stages of a step, in order, and hands each to `put`.
pub fn plan(task: &Task<'_>, mut put: impl FnMut(Planned) -> Option<()>) -> Option<()> {
    let shape = &task.model.shape;
    if !shape.architecture.causal {
        return plan_part(task, &mut put);
    }
    put(Planned::new(task, Stage::Embedding)?)?;
    if shape.per_layer > 0 {
        plan_one(task, Stage::Multiply(Input::PerLayerModel), &mut put)?;
        put(Planned::new(task, Stage::PerLayer)?)?;
    }
    for layer in 0..shape.layers {
        for operation in operations(shape, task.shape(layer)?) {
            plan_one(task, Stage::of(operation, layer), &mut put)?;
        }
    }
    if !task.batch.logits().is_empty() {
        plan_one(task, Stage::Multiply(Input::Head), &mut put)?;
    }
    // It changes the residual stream, which the head has read by then.
    plan_hidden_states(task, &mut put)
}

/// Plans the part of the layers that a pass of a model computes in which all positions of a text
/// attend to all: keys and values of a layer are there for all of them before attention begins.
#[inline(never)]
fn plan_part(task: &Task<'_>, put: &mut impl FnMut(Planned) -> Option<()>) -> Option<()> {
    let shape = &task.model.shape;
    let is_before = |operation: &Operation| *operation != Operation::Attention;
    let part = task.batch.part();
    match part.checked_sub(1) {
        None => put(Planned::new(task, Stage::Embedding)?)?,
        Some(layer) => {
            put(Planned::new(task, Stage::Resume)?)?;
            let all = operations(shape, task.shape(layer)?);
            for operation in all.skip_while(is_before) {
                plan_one(task, Stage::of(operation, layer), put)?;
            }
        }
    }
    if part == shape.layers {
        return plan_hidden_states(task, put);
    }
    for operation in operations(shape, task.shape(part)?).take_while(is_before) {
        plan_one(task, Stage::of(operation, part), put)?;
    }
    put(Planned::new(task, Stage::Keep)?)
}

/// Plans what makes hidden states of the residual stream behind the last layer, where some are wanted.
fn plan_hidden_states(task: &Task<'_>, put: &mut impl FnMut(Planned) -> Option<()>) -> Option<()> {
    if !task.batch.hidden_states() {
        return Some(());
    }
    if task.model.parts.matrix(Part::Dense2).exists() {
        plan_one(task, Stage::Multiply(Input::Dense2), put)?;
        return plan_one(task, Stage::Multiply(Input::Dense3), put);
    }
    if task.model.parts.matrix(Part::OutputNorm).exists() {
        put(Planned::new(task, Stage::Finish)?)?;
    }
    Some(())
}

/// Plans `stage`, and before it the packing of what it multiplies in a wide batch.
#[inline(always)]
fn plan_one(
    task: &Task<'_>,
    stage: Stage,
    put: &mut impl FnMut(Planned) -> Option<()>,
) -> Option<()> {
    if let Stage::Multiply(input) = stage
        && !input.is_narrow(task)
    {
        put(Planned::new(task, Stage::Pack(input))?)?;
    }
    if !task.adapters.is_empty() {
        plan_reduction(task, stage, put)?;
    }
    put(Planned::new(task, stage)?)?;
    match stage {
        Stage::Multiply(Input::QueryKeyValue(layer)) if task.batch.quantized() => {
            plan_store(task, layer, put)
        }
        _ => Some(()),
    }
}

/// Plans the store of keys and values of `layer`, where some wait for it.
#[inline(never)]
fn plan_store(
    task: &Task<'_>,
    layer: u32,
    put: &mut impl FnMut(Planned) -> Option<()>,
) -> Option<()> {
    match waiting(task, layer)? {
        [None, None] => Some(()),
        _ => put(Planned::new(task, Stage::Store(layer))?),
    }
}

/// Plans what adapters make of what `stage` multiplies.
#[inline(never)]
fn plan_reduction(
    task: &Task<'_>,
    stage: Stage,
    put: &mut impl FnMut(Planned) -> Option<()>,
) -> Option<()> {
    match stage {
        Stage::Multiply(input) if adapters::groups(task, input).is_some() => {
            put(Planned::new(task, Stage::Reduce(input))?)
        }
        _ => Some(()),
    }
}

impl Planned {
    fn new(task: &Task<'_>, stage: Stage) -> Option<Planned> {
        let cut = stage.cut(task)?;
        Some(Planned { stage, cut })
    }
}

impl Stage {
    /// The stage of an operation of `layer`. Not inlined: where some operations cannot come, the match
    /// would hold a trap for them.
    #[inline(never)]
    fn of(operation: Operation, layer: u32) -> Stage {
        match operation {
            Operation::QueryKeyValue => Stage::Multiply(Input::QueryKeyValue(layer)),
            Operation::Heads => Stage::Heads(layer),
            Operation::Attention => Stage::Attention(layer),
            Operation::Output => Stage::Multiply(Input::Output(layer)),
            Operation::LatentDown => Stage::Multiply(Input::LatentDown(layer)),
            Operation::QueryUp => Stage::Multiply(Input::QueryUp(layer)),
            Operation::Latent => Stage::Latent(layer),
            Operation::KeyUp => Stage::Multiply(Input::KeyUp(layer)),
            Operation::Merge => Stage::Merge(layer),
            Operation::ValueUp => Stage::Multiply(Input::ValueUp(layer)),
            Operation::MixerInput => Stage::Multiply(Input::Mixer(layer)),
            Operation::Convolve => Stage::Convolve(layer),
            Operation::Delta => Stage::Delta(layer),
            Operation::MixerOutput => Stage::Multiply(Input::MixerOutput(layer)),
            Operation::JoinAttention => Stage::Join(layer, Branch::Attention),
            Operation::FeedForward => Stage::Multiply(Input::FeedForward(layer)),
            Operation::Down => Stage::Multiply(Input::Down(layer)),
            Operation::JoinFeedForward => Stage::Join(layer, Branch::FeedForward),
            Operation::PerLayerGate => Stage::Multiply(Input::PerLayerGate(layer)),
            Operation::PerLayerOutput => Stage::Multiply(Input::PerLayerOutput(layer)),
            Operation::JoinPerLayer => Stage::Join(layer, Branch::PerLayer),
            Operation::Router => Stage::Multiply(Input::Router(layer)),
            Operation::Route => Stage::Route(layer),
            Operation::SharedUp => Stage::Multiply(Input::SharedUp(layer)),
            Operation::ExpertsUp => Stage::Multiply(Input::ExpertsUp(layer)),
            Operation::SharedDown => Stage::Multiply(Input::SharedDown(layer)),
            Operation::ExpertsDown => Stage::Multiply(Input::ExpertsDown(layer)),
        }
    }

    /// How the stage is cut for this batch.
    pub fn cut(self, task: &Task<'_>) -> Option<Cut> {
        // CAST: At most ROWS_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let tiles = |rows: usize| rows.div_ceil(TILE_ROWS) as u32;
        let shape = &task.model.shape;
        let rows = task.batch.rows();
        let by_rows = |columns: usize| Cut::new(tiles(rows.len()), columns as u64 * 16, u32::MAX);
        match self {
            Stage::Embedding | Stage::Join(..) | Stage::Finish => {
                Some(by_rows(shape.embedding as usize))
            }
            Stage::Resume | Stage::Keep => Some(by_rows(shape.kept as usize)),
            Stage::Latent(layer) | Stage::Merge(layer) => {
                Some(by_rows(task.shape(layer)?.query_columns() as usize))
            }
            Stage::PerLayer => Some(by_rows(shape.all_per_layer() as usize)),
            Stage::Route(_) => Some(by_rows(shape.experts.count as usize * 4)),
            Stage::Pack(input) => {
                // CAST: At most ROWS_MAX times the experts of a row.
                #[expect(clippy::cast_possible_truncation)]
                let units = input.tiles(task) as u32;
                Some(Cut::new(units, input.columns(task) as u64 * 16, u32::MAX))
            }
            Stage::Reduce(input) | Stage::Multiply(input) => {
                let (groups, bytes) = match self {
                    Stage::Reduce(_) => adapters::groups(task, input)?,
                    _ if task.adapters.is_empty() => input.groups(task)?,
                    _ => {
                        let (groups, bytes) = input.groups(task)?;
                        (
                            groups,
                            bytes.saturating_add(adapters::extension(task, input)),
                        )
                    }
                };
                let work = bytes * input.tiles(task) as u64;
                Some(if input.is_narrow(task) {
                    Cut::new(groups, work, NARROW_GROUPS)
                } else {
                    Cut::of(groups, work, WIDE_GROUPS, WIDE_CHUNK_BYTES)
                })
            }
            Stage::Convolve(layer) => {
                let strips = task.shape(layer)?.strips();
                let work = (rows.len() * STRIP * 16) as u64;
                Some(Cut::new(task.batch.run_count() * strips, work, u32::MAX))
            }
            Stage::Delta(layer) => {
                let layer = task.shape(layer)?;
                let work = u64::from(layer.matrix_values()) * rows.len() as u64 * 16;
                Some(Cut::new(
                    task.batch.run_count() * layer.heads,
                    work,
                    u32::MAX,
                ))
            }
            Stage::Heads(layer) => {
                let layer = task.shape(layer)?;
                let columns = u64::from(layer.query_columns()) * 16;
                let heads = match shape.architecture.head_norm {
                    HeadNorm::Row => 1,
                    HeadNorm::None | HeadNorm::Head => layer.kv_heads,
                };
                let work = columns.checked_div(u64::from(heads))?;
                Some(Cut::new(tiles(rows.len()) * heads, work, u32::MAX))
            }
            Stage::Store(layer) => {
                let layer = task.shape(layer)?;
                let work = u64::from(layer.head_size) * 32;
                Some(Cut::new(tiles(rows.len()) * layer.kv_heads, work, u32::MAX))
            }
            Stage::Attention(layer) => {
                let layer = task.shape(layer)?;
                // CAST: A small constant.
                #[expect(clippy::cast_possible_truncation)]
                let longest = rows
                    .iter()
                    .map(|row| row.last)
                    .max()?
                    .min(SEGMENT as u32 - 1);
                let units = tiles(rows.len()) * layer.kv_heads * task.batch.segments();
                let bytes = u64::from(longest + 1) * u64::from(layer.head_size) * 4;
                // CAST: At most TILE_ROWS.
                #[expect(clippy::cast_possible_truncation)]
                let heads = layer.group() * rows.len().min(TILE_ROWS) as u32;
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
