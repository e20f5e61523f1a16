// SPDX-License-Identifier: GPL-2.0
//! Adapters: matrices of low rank beside those of a model (LoRA, Hu et al., 2021). They are never merged
//! into its weights: each row of a step has scales of its own.

pub mod keys;
pub mod tensor;

use crate::memory::arena::Arena;
use crate::model::matrix::Matrix;
use crate::model::part::Part;
use crate::model::weights::Parts;

/// Largest rank.
pub const RANK_MAX: u32 = 256;

/// The two matrices A and B beside a matrix W of the model: a multiple of B (A x) is added to W x.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    /// A: rank by inputs. Of the token embeddings: vocabulary by rank.
    pub down: Matrix,
    /// B: outputs by rank.
    pub up: Matrix,
}

/// An adapter; what it has of the layers follows it in memory. All zero: of nothing.
#[repr(C)]
pub struct Adapter {
    /// Divided by the rank it multiplies what is added; 0 for neither.
    pub alpha: f32,
    /// Largest rank of its pairs.
    pub rank: u32,
    /// Layers of the model.
    pub layers: u32,
    /// Beside the parts of the model.
    parts: Parts<{ Part::OF_MODEL }, false, Pair>,
}

/// What an adapter has of a layer. All zero: nothing.
#[repr(C)]
pub struct AdaptedLayer {
    parts: Parts<{ Part::OF_LAYER }, true, Pair>,
}

impl Adapter {
    /// Bytes of an adapter of a model with `layers` layers.
    pub fn bytes(layers: u32) -> Option<usize> {
        (layers as usize)
            .checked_mul(size_of::<AdaptedLayer>())?
            .checked_add(size_of::<Adapter>())
    }

    /// Where the pair of `part` of the model is kept.
    pub fn part_mut(&mut self, part: Part) -> Option<&mut Pair> {
        self.parts.part_mut(part)
    }
}

impl AdaptedLayer {
    /// Where the pair of `part` is kept.
    pub fn part_mut(&mut self, part: Part) -> Option<&mut Pair> {
        self.parts.part_mut(part)
    }
}

/// A loaded adapter.
#[derive(Clone, Copy)]
pub struct Adapted<'a> {
    /// What it has.
    pub adapter: &'a Adapter,
    /// By layer.
    pub layers: &'a [AdaptedLayer],
    /// Its weights.
    pub arena: Arena<'a>,
}

impl<'a> Adapted<'a> {
    /// The pair of `part`, of `layer` or of the model; `None` when it has none.
    pub fn pair(&self, layer: Option<u32>, part: Part) -> Option<&'a Pair> {
        let pair = match layer {
            Some(layer) => self.layers.get(layer as usize)?.parts.part(part),
            None => self.adapter.parts.part(part),
        };
        pair.filter(|pair| pair.up.exists())
    }

    /// What B (A x) of `pair` is multiplied by, `millionths` being the scale of the row.
    pub fn factor(&self, pair: &Pair, millionths: i32) -> f32 {
        // CAST: Rounded once, as the scale's decimal form would be.
        #[expect(clippy::cast_possible_truncation)]
        let scale = (f64::from(millionths) / 1e6) as f32;
        if self.adapter.alpha == 0.0 {
            scale
        } else {
            scale * self.adapter.alpha / pair.up.columns as f32
        }
    }
}
