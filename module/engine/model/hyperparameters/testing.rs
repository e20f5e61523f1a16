// SPDX-License-Identifier: GPL-2.0
//! Small shapes for tests.

use crate::model::architecture::Architecture;
use crate::model::embeddings::Embeddings;
use crate::model::experts::Experts;
use crate::model::hyperparameters::Hyperparameters;
use crate::model::latent::Latent;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Widths;
use crate::model::rope::Rope;
use crate::model::scales::Scales;
use crate::model::windows::Window;

impl LayerShape {
    /// A layer with the largest numbers of `model`.
    pub(crate) fn of(model: &Hyperparameters) -> LayerShape {
        LayerShape {
            heads: model.heads,
            kv_heads: model.kv_heads,
            head_size: model.head_size,
            query_stride: model.head_size,
            rotated: model.rotated,
            feed_forward: model.feed_forward,
            experts: model.experts.count > 0,
            ..LayerShape::NONE
        }
    }
}

impl Hyperparameters {
    /// A small llama.
    pub(crate) fn llama() -> Self {
        Self::testing(Architecture::find(b"llama").expect("an architecture"))
    }

    /// This shape with the widths of layers that have its largest numbers.
    pub(crate) fn measured(mut self) -> Self {
        let mut shapes = vec![LayerShape::of(&self); self.layers as usize];
        self.measure(&mut shapes).expect("a block");
        self
    }

    /// A small shape of `architecture`, for tests that change what they need.
    pub(crate) fn testing(architecture: &'static Architecture) -> Self {
        let rotated = if architecture.rotates() { 8 } else { 0 };
        Hyperparameters {
            architecture,
            layers: 2,
            embedding: 32,
            heads: 4,
            kv_heads: 2,
            head_size: 8,
            rotated,
            feed_forward: 64,
            widths: Widths::default(),
            block_values: 0,
            block_scales: 0,
            kept: 0,
            taps: 0,
            state_values: 0,
            latent: Latent::default(),
            per_layer: 0,
            vocabulary: 40,
            trained_context: 64,
            context: 64,
            epsilon: 1e-5,
            rope: Rope::plain(1e4, rotated, 64),
            scales: Scales::plain(8),
            window: Window::NONE,
            experts: Experts::default(),
            parallel: false,
            temperature: 0.0,
            embeddings: Embeddings::NONE,
        }
    }
}
