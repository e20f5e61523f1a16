// SPDX-License-Identifier: GPL-2.0
//! What the matrices of a stage are multiplied with.

use crate::model::Part;
use crate::model::layer_shape::LayerShape;
use crate::model::matrix::Matrix;
use crate::model::part::Dim;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::TILE_ROWS;
use crate::step::batch::NARROW_ROWS;
use crate::step::pairs;
use crate::step::pairs::Used;
use crate::step::task::Task;

/// What the rows of a matrix stage are multiplied from; the number is that of the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Normalized residual stream, for query, key and value.
    QueryKeyValue(u32),
    /// Merged attention, for the output projection.
    Output(u32),
    /// Normalized residual stream, for what latent attention is made from.
    LatentDown(u32),
    /// What its queries are made from, normalized, for these.
    QueryUp(u32),
    /// Queries of each head, each row a tile, for what they ask of the row of all heads.
    KeyUp(u32),
    /// What each head attended to, each row a tile, for its value.
    ValueUp(u32),
    /// Normalized residual stream, for a mixer that is no attention.
    Mixer(u32),
    /// What that gives, for its output projection.
    MixerOutput(u32),
    /// Normalized residual stream, for gate and up.
    FeedForward(u32),
    /// Hidden layer, for down.
    Down(u32),
    /// Normalized residual stream, for the scores of the experts.
    Router(u32),
    /// Normalized residual stream, for gate and up of the shared expert.
    SharedUp(u32),
    /// Hidden layer of the shared expert, for its down.
    SharedDown(u32),
    /// Normalized residual stream, each row a tile, for gate and up of the experts it chose.
    ExpertsUp(u32),
    /// Hidden layer of each chosen expert, each row a tile, for its down.
    ExpertsDown(u32),
    /// Embeddings, for those that each layer has.
    PerLayerModel,
    /// Residual stream, for the gate of the layer's embeddings.
    PerLayerGate(u32),
    /// The layer's embeddings, for their projection.
    PerLayerOutput(u32),
    /// Normalized residual stream of the rows with logits.
    Head,
    /// Normalized residual stream, for the first of the matrices behind the last norm.
    Dense2,
    /// What the first of them gives, for the second.
    Dense3,
}

/// Kinds of packed rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kinds {
    /// As f32.
    pub float: bool,
    /// In 8-bit blocks of 32.
    pub int8: bool,
    /// In 8-bit blocks of 256.
    pub int8_wide: bool,
}

impl Kinds {
    /// Adds that which `matrix` needs.
    #[inline(always)]
    pub fn add(&mut self, matrix: &Matrix) {
        match matrix.format.activation() {
            ActivationKind::F32 => self.float = true,
            ActivationKind::Int8Per32 => self.int8 = true,
            ActivationKind::Int8Per256 => self.int8_wide = true,
        }
    }
}

impl Input {
    /// Values of a row.
    #[inline(always)]
    pub fn columns(self, task: &Task<'_>) -> usize {
        let shape = &task.model.shape;
        let of_layer = |layer: u32| task.shape(layer).copied().unwrap_or(LayerShape::NONE);
        let columns = match self {
            Input::Output(layer) => of_layer(layer).attended_columns(),
            Input::MixerOutput(layer) => of_layer(layer).mixed_columns(),
            Input::Down(layer) => of_layer(layer).feed_forward,
            Input::QueryUp(_) => shape.latent.queries,
            Input::KeyUp(layer) => shape.size(Dim::Unrotated, &of_layer(layer)),
            Input::ValueUp(_) => shape.latent.rank,
            Input::PerLayerOutput(_) => shape.per_layer,
            Input::SharedDown(_) => shape.experts.shared,
            Input::ExpertsDown(_) => shape.experts.hidden,
            Input::Dense3 => shape.embeddings.dense,
            Input::QueryKeyValue(_)
            | Input::LatentDown(_)
            | Input::Mixer(_)
            | Input::FeedForward(_)
            | Input::Router(_)
            | Input::SharedUp(_)
            | Input::ExpertsUp(_)
            | Input::PerLayerModel
            | Input::PerLayerGate(_)
            | Input::Dense2
            | Input::Head => shape.embedding,
        };
        columns as usize
    }

    /// The layer; `None` of what the model has once.
    #[inline(always)]
    pub fn layer(self) -> Option<u32> {
        match self {
            Input::QueryKeyValue(layer)
            | Input::Output(layer)
            | Input::LatentDown(layer)
            | Input::QueryUp(layer)
            | Input::KeyUp(layer)
            | Input::ValueUp(layer)
            | Input::Mixer(layer)
            | Input::MixerOutput(layer)
            | Input::FeedForward(layer)
            | Input::Down(layer)
            | Input::Router(layer)
            | Input::SharedUp(layer)
            | Input::SharedDown(layer)
            | Input::ExpertsUp(layer)
            | Input::PerLayerGate(layer)
            | Input::PerLayerOutput(layer)
            | Input::ExpertsDown(layer) => Some(layer),
            Input::PerLayerModel | Input::Head | Input::Dense2 | Input::Dense3 => None,
        }
    }

    /// The matrices that multiply it, and whether their groups go together, one of each, or one
    /// matrix after the other.
    pub fn parts(self) -> (&'static [Part], bool) {
        match self {
            Input::QueryKeyValue(_) => (&[Part::Query, Part::Key, Part::Value], false),
            Input::Output(_) => (&[Part::AttentionOutput], false),
            Input::LatentDown(_) => (&[Part::QueryDown, Part::LatentDown, Part::Query], false),
            Input::QueryUp(_) => (&[Part::QueryUp], false),
            Input::KeyUp(_) => (&[Part::KeyUp], false),
            Input::ValueUp(_) => (&[Part::ValueUp], false),
            Input::Mixer(_) => (
                &[
                    Part::MixerInput,
                    Part::MixerGate,
                    Part::DeltaRate,
                    Part::DeltaTime,
                ],
                false,
            ),
            Input::MixerOutput(_) => (&[Part::MixerOutput], false),
            Input::FeedForward(_) => (&[Part::Gate, Part::Up], true),
            Input::Down(_) => (&[Part::Down], false),
            Input::Router(_) => (&[Part::Router, Part::SharedRouter], false),
            Input::SharedUp(_) => (&[Part::SharedGate, Part::SharedUp], true),
            Input::SharedDown(_) => (&[Part::SharedDown], false),
            Input::ExpertsUp(_) => (&[Part::GateExperts, Part::UpExperts], true),
            Input::ExpertsDown(_) => (&[Part::DownExperts], false),
            Input::PerLayerModel => (&[Part::PerLayerModel], false),
            Input::PerLayerGate(_) => (&[Part::PerLayerGate], false),
            Input::PerLayerOutput(_) => (&[Part::PerLayerOutput], false),
            Input::Head => (&[Part::Output], false),
            Input::Dense2 => (&[Part::Dense2], false),
            Input::Dense3 => (&[Part::Dense3], false),
        }
    }

    /// The matrices that multiply it and are there.
    fn matrices<'a>(self, task: &Task<'a>) -> impl Iterator<Item = &'a Matrix> {
        let (parts, _) = self.parts();
        let layer = self.layer().and_then(|layer| task.layer(layer));
        let model = task.model;
        let matrices = parts.iter().map(move |part| match layer {
            Some(layer) => layer.matrix(*part),
            None => model.parts.matrix(*part),
        });
        matrices.filter(|matrix| matrix.exists())
    }

    /// The pairs of adapters beside the matrices that multiply it.
    pub(crate) fn pairs<'a>(self, task: &Task<'a>) -> impl Iterator<Item = Used<'a>> {
        let (parts, _) = self.parts();
        pairs::beside(task, parts, self.layer())
    }

    /// Adds the kinds that adapters need.
    #[inline(never)]
    fn add_adapters(self, task: &Task<'_>, kinds: &mut Kinds) {
        for used in self.pairs(task) {
            kinds.add(&used.pair.down);
        }
    }

    /// Kinds in which its matrices need rows packed.
    #[inline(always)]
    pub fn kinds(self, task: &Task<'_>) -> Kinds {
        let mut kinds = Kinds::default();
        for matrix in self.matrices(task) {
            kinds.add(matrix);
        }
        if !task.adapters.is_empty() {
            self.add_adapters(task, &mut kinds);
        }
        kinds
    }

    /// Weight and bias of the norm before it; `None` when there is none.
    pub fn norm(self, task: &Task<'_>) -> Option<(Part, Part)> {
        let before = task.model.shape.architecture.norms.before();
        match self {
            Input::QueryUp(_) => Some((Part::QueryDownNorm, Part::QueryDownNorm)),
            Input::QueryKeyValue(_) | Input::LatentDown(_) | Input::Mixer(_) => {
                before.then_some((Part::AttentionNorm, Part::AttentionNormBias))
            }
            Input::FeedForward(_) | Input::Router(_) | Input::SharedUp(_) | Input::ExpertsUp(_) => {
                before.then_some((Part::FeedForwardNorm, Part::FeedForwardNormBias))
            }
            Input::Head | Input::Dense2 => Some((Part::OutputNorm, Part::OutputNormBias)),
            Input::Dense3
            | Input::Output(_)
            | Input::KeyUp(_)
            | Input::ValueUp(_)
            | Input::MixerOutput(_)
            | Input::Down(_)
            | Input::PerLayerModel
            | Input::PerLayerGate(_)
            | Input::PerLayerOutput(_)
            | Input::SharedDown(_)
            | Input::ExpertsDown(_) => None,
        }
    }

    /// Rows of the batch that it is made of.
    fn batch_rows(self, task: &Task<'_>) -> usize {
        match self {
            Input::Head => task.batch.logits().len(),
            _ => task.batch.rows().len(),
        }
    }

    /// Rows for each row of the batch.
    #[inline(always)]
    pub fn rows_of_each(self, task: &Task<'_>) -> usize {
        match self {
            Input::ExpertsDown(_) => task.model.shape.experts.used as usize,
            Input::KeyUp(layer) | Input::ValueUp(layer) => {
                task.shape(layer).map_or(1, |layer| layer.heads as usize)
            }
            _ => 1,
        }
    }

    /// Number of rows.
    #[inline(always)]
    pub fn rows(self, task: &Task<'_>) -> usize {
        self.batch_rows(task) * self.rows_of_each(task)
    }

    /// Rows that are packed together.
    pub fn tile_rows(self) -> usize {
        match self {
            Input::ExpertsUp(_) | Input::ExpertsDown(_) | Input::KeyUp(_) | Input::ValueUp(_) => 1,
            _ => TILE_ROWS,
        }
    }

    /// Number of tiles of rows.
    pub fn tiles(self, task: &Task<'_>) -> usize {
        self.rows(task).div_ceil(self.tile_rows())
    }

    /// Row of the batch that row `index` of this input belongs to.
    pub fn row(self, task: &Task<'_>, index: usize) -> Option<usize> {
        match self {
            Input::Head => task.batch.logits().get(index).map(|row| usize::from(*row)),
            Input::ExpertsDown(_) | Input::KeyUp(_) | Input::ValueUp(_) => {
                index.checked_div(self.rows_of_each(task))
            }
            _ => Some(index),
        }
    }

    /// Whether each worker packs it for itself.
    pub fn is_narrow(self, task: &Task<'_>) -> bool {
        self.batch_rows(task) <= NARROW_ROWS
    }

    /// Groups of the stage that multiplies it, and the bytes of the largest.
    pub fn groups(self, task: &Task<'_>) -> Option<(u32, u64)> {
        let (_, together) = self.parts();
        let (mut count, mut largest) = (0, 0);
        for matrix in self.matrices(task) {
            let (groups, bytes) = (matrix.group_count(), u64::from(matrix.groups.item_bytes()));
            if together {
                (count, largest) = (groups, largest + bytes);
            } else {
                (count, largest) = (count + groups, bytes.max(largest));
            }
        }
        (count > 0).then_some((count, largest))
    }
}
