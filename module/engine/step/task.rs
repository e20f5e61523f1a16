// SPDX-License-Identifier: GPL-2.0
//! What every chunk of a step can read.

use crate::memory::arena::Arena;
use crate::model::Layer;
use crate::model::Model;
use crate::model::adapter::Adapted;
use crate::model::layer_shape::LayerShape;
use crate::step::batch::Batch;

/// The model and the batch, read-only while chunks run.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// The model.
    pub model: &'a Model,
    /// Its layers.
    pub layers: &'a [Layer],
    /// Its weights.
    pub arena: Arena<'a>,
    /// Its adapters; each is there.
    pub adapters: &'a [Option<Adapted<'a>>],
    /// The rows of the step.
    pub batch: &'a Batch,
}

impl<'a> Task<'a> {
    /// Layer `layer`.
    #[inline]
    pub fn layer(&self, layer: u32) -> Option<&'a Layer> {
        self.layers.get(layer as usize)
    }

    /// Shape of layer `layer`.
    #[inline]
    pub fn shape(&self, layer: u32) -> Option<&'a LayerShape> {
        Some(&self.layer(layer)?.shape)
    }
}
