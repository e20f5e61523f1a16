// SPDX-License-Identifier: GPL-2.0
//! The shape of a model.

mod reader;
#[cfg(test)]
mod testing;

use crate::math::double::ln64;
use crate::math::double::pow64;
use crate::memory::kv::KvType;
use crate::memory::kv::TILE;
use crate::model::architecture::Architecture;
use crate::model::architecture::HeadNorm;
use crate::model::architecture::Positions;
use crate::model::architecture::Unrotated;
use crate::model::embeddings::Embeddings;
use crate::model::experts::Experts;
use crate::model::latent::Latent;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Widths;
use crate::model::part::Dim;
use crate::model::rope::Rope;
use crate::model::scales::Scales;
use crate::model::windows::Window;

/// The shape of a model.
///
/// # Invariants
///
/// No number is 0 unless said; all widths are at most 65536.
#[repr(C)]
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct Hyperparameters {
    /// Kind of transformer.
    pub architecture: &'static Architecture,
    /// Transformer layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub embedding: u32,
    /// Most attention heads of a layer.
    pub heads: u32,
    /// Most key and value heads of a layer.
    pub kv_heads: u32,
    /// Most dimensions of a head.
    pub head_size: u32,
    /// Most dimensions of a head that rotate, even; 0 where none do.
    pub rotated: u32,
    /// Largest width of the hidden layer of a feed-forward network.
    pub feed_forward: u32,
    /// Largest sizes of what a layer computes.
    pub widths: Widths,
    /// Values of a KV block: of all layers.
    pub block_values: u32,
    /// Scales of a KV block whose type has any: of all layers.
    pub block_scales: u32,
    /// Values that are kept of a position from one pass to the next, behind all layers; 0 where there
    /// is one pass.
    pub kept: u32,
    /// Positions that convolutions span; 0 without any.
    pub taps: u32,
    /// Values of the state of a sequence; 0 without one.
    pub state_values: u32,
    /// Sizes of latent attention.
    pub latent: Latent,
    /// Width of the embeddings that each layer has of each token; 0 without any.
    pub per_layer: u32,
    /// Number of token ids.
    pub vocabulary: u32,
    /// Positions the model was made for.
    pub trained_context: u32,
    /// Most positions of a context here.
    pub context: u32,
    /// Added to the mean in norms.
    pub epsilon: f32,
    /// Angles of rotation.
    pub rope: Rope,
    /// Factors and caps.
    pub scales: Scales,
    /// The sliding window.
    pub window: Window,
    /// Experts of the feed-forward network.
    pub experts: Experts,
    /// Whether attention and feed-forward network see the same row.
    pub parallel: bool,
    /// With more than one position from the original context on, queries grow by so much times
    /// ln(1 + position / original context).
    pub temperature: f32,
    /// The embedding of a text.
    pub embeddings: Embeddings,
}

impl Hyperparameters {
    /// Gives the layers their places in a block, and finds the largest sizes; `None` when a block is
    /// too large.
    fn measure(&mut self, shapes: &mut [LayerShape]) -> Option<()> {
        let (mut values, mut scales, mut state) = (0u32, 0u32, 0u32);
        let (mut queries, mut widths) = (0, Widths::default());
        for layer in 0..shapes.len() {
            let mut shape = *shapes.get(layer)?;
            (shape.cache, shape.cache_scales) = match shape.shares {
                true => {
                    let lender = shapes.get(shape.lender as usize)?;
                    (lender.cache, lender.cache_scales)
                }
                false => (values, scales),
            };
            shape.state = state;
            values = values.checked_add(shape.cached_values()?)?;
            scales = scales.checked_add(shape.cached_scales()?)?;
            state = state.checked_add(shape.state_values(self.taps)?)?;
            widths.hold(&self.latent, &shape)?;
            queries = shape.query_columns().max(queries);
            *shapes.get_mut(layer)? = shape;
        }
        widths.input = widths.input.max(self.all_per_layer());
        self.block_values = values;
        self.block_scales = scales;
        self.kept = match self.architecture.causal {
            true => 0,
            false => self.embedding.checked_add(queries)?,
        };
        self.state_values = state;
        self.widths = widths;
        Some(())
    }

    /// Passes that a row goes through.
    pub fn passes(&self) -> u32 {
        match self.architecture.causal {
            true => 1,
            false => self.layers.saturating_add(1),
        }
    }

    /// The table of rotations of `layer`; `None` where queries and keys do not rotate.
    #[inline]
    pub fn rotation(&self, layer: u32) -> Option<usize> {
        let windowed = self.window.has(layer);
        let rotates = match self.architecture.unrotated {
            Unrotated::None => true,
            Unrotated::EveryFourth => layer % 4 != 3,
        };
        let table = windowed && self.rope.tables() > 1;
        (self.rotated > 0 && rotates).then_some(usize::from(table))
    }

    /// The size that `dim` stands for in a layer of shape `layer`.
    pub fn size(&self, dim: Dim, layer: &LayerShape) -> u32 {
        let (query, kv) = (layer.query_columns(), layer.kv_columns());
        let by_row = self.architecture.head_norm == HeadNorm::Row;
        match dim {
            Dim::One => 1,
            Dim::Width => self.embedding,
            Dim::Hidden => layer.feed_forward,
            Dim::DoubleHidden => layer.feed_forward.saturating_mul(2),
            Dim::Query => layer.projected_columns(),
            Dim::Attended => layer.attended_columns(),
            Dim::Kv => kv,
            Dim::QueryKeyValue => query.saturating_add(kv.saturating_mul(2)),
            Dim::QueryNorm if by_row => query,
            Dim::KeyNorm if by_row => kv,
            Dim::QueryNorm | Dim::KeyNorm => layer.head_size,
            Dim::Heads => layer.heads,
            Dim::HeadSize => layer.head_size,
            Dim::MixerInput => layer.mixer_columns(),
            Dim::Mixed => layer.mixed_columns(),
            Dim::Convolved => layer.convolved,
            Dim::Taps => self.taps,
            Dim::QueryRank => self.latent.queries,
            Dim::Rank => self.latent.rank,
            Dim::RankAndRotated => layer.head_size,
            Dim::Unrotated => layer.key_size.saturating_sub(layer.rotated),
            Dim::Value => layer.value_size,
            Dim::PerLayer => self.per_layer,
            Dim::AllPerLayer => self.all_per_layer(),
            Dim::Pairs => self.rotated / 2,
            Dim::Vocabulary => self.vocabulary,
            Dim::TrainedContext => self.trained_context,
            Dim::Experts => self.experts.count,
            Dim::ExpertHidden => self.experts.hidden,
            Dim::SharedHidden => self.experts.shared,
            Dim::TokenTypes => self.embeddings.token_types,
            Dim::Dense => self.embeddings.dense,
        }
    }

    /// Width of the embeddings of a token in all layers.
    pub fn all_per_layer(&self) -> u32 {
        self.per_layer.saturating_mul(self.layers)
    }

    /// What scores of a row at `position` are multiplied by.
    #[inline]
    pub fn score_scale(&self, position: usize) -> f32 {
        if self.temperature == 0.0 {
            return self.scales.score;
        }
        let times = position as u64 / u64::from(self.rope.original_context.max(1));
        let grown = f64::from(self.temperature) * ln64(1.0 + times as f64) + 1.0;
        // CAST: Rounds to the nearest.
        #[expect(clippy::cast_possible_truncation)]
        let grown = grown as f32;
        self.scales.score * grown
    }

    /// How much the scores of query head `head` of `heads` fall from each position to the one before (Press,
    /// Smith and Lewis, 2022); 0 where positions are told otherwise.
    // CAST: Rounds to the nearest.
    #[expect(clippy::cast_possible_truncation)]
    #[inline]
    pub fn slope(&self, head: u32, heads: u32) -> f32 {
        if self.architecture.positions != Positions::Slopes {
            return 0.0;
        }
        let whole = 1u32 << heads.max(1).ilog2();
        let exponent = if head < whole {
            -8.0 * f64::from(head + 1) / f64::from(whole)
        } else {
            -4.0 * f64::from(2 * (head - whole) + 1) / f64::from(whole)
        };
        pow64(2.0, exponent) as f32
    }

    /// Bytes of a KV block.
    pub fn block_bytes(&self, kv_type: KvType) -> u64 {
        let kept = (TILE * self.kept as usize * size_of::<f32>()) as u64;
        self.cached_bytes(kv_type).saturating_add(kept)
    }

    /// Bytes of the keys and values of all layers in a block.
    fn cached_bytes(&self, kv_type: KvType) -> u64 {
        let (values, scales) = (self.block_values as usize, self.block_scales as usize);
        kv_type.bytes(values, scales) as u64
    }

    /// First byte in its block of what is kept of `position`; `None` past what can be counted.
    pub fn kept_offset(&self, position: u32, kv_type: KvType) -> Option<usize> {
        let index = position as usize % TILE * self.kept as usize;
        let layers = usize::try_from(self.cached_bytes(kv_type)).ok()?;
        layers.checked_add(index * size_of::<f32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_lies_behind_the_layers_of_a_block() {
        let bert = Architecture::find(b"bert").expect("an architecture");
        let shape = Hyperparameters::testing(bert).measured();
        assert_eq!(shape.kept, 32 + 4 * 8);
        let layers = 2 * 2 * 2 * 32 * 8;
        let half = |position| shape.kept_offset(position, KvType::F16);
        assert_eq!(half(0), Some(layers * 2));
        assert_eq!(half(33), Some(layers * 2 + 64 * 4));
        let end = half(31).map(|last| (last + 64 * 4) as u64);
        assert_eq!(Some(shape.block_bytes(KvType::F16)), end);
        assert_eq!(shape.kept_offset(64, KvType::F32), Some(layers * 4));
        let scales = 2 * 2 * 2 * 32;
        let scaled = layers + 2 * scales;
        assert_eq!(shape.kept_offset(0, KvType::Q8_0), Some(scaled));
        assert_eq!(Hyperparameters::llama().measured().kept, 0);
    }
}
