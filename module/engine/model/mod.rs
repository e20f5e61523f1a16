// SPDX-License-Identifier: GPL-2.0
//! The model: its shape, its packed weights in the arena, and the machine that loads them.

pub mod hyperparameters;
pub mod items;
pub mod keys;
pub mod load;
pub mod matrix;
pub mod plan;
pub mod reader;
pub mod role;
pub mod rope;
pub mod vector;

pub use hyperparameters::Architecture;
pub use hyperparameters::Hyperparameters;

use crate::model::items::Items;
use crate::model::matrix::Matrix;
use crate::model::vector::Vector;
use crate::simd::level::Level;
use crate::step::rope::Rotation;
use crate::wall::arena::Arena;
use crate::wall::pod;

/// A model; its layers follow it in memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Model {
    /// Instructions its weights are packed for.
    pub level: Level,
    /// Shape.
    pub shape: Hyperparameters,
    /// Token embeddings: (vocabulary, embedding).
    pub embedding: Matrix,
    /// Learned positions: (context, embedding); gpt2 only.
    pub positions: Matrix,
    /// Head: (vocabulary, embedding); the embeddings once more when tied.
    pub head: Matrix,
    /// Weight of the last norm.
    pub output_norm: Vector,
    /// Its bias.
    pub output_norm_bias: Vector,
    /// Per position: cosines, then sines.
    pub rotations: Items,
}

/// A transformer layer. Matrices are (outputs, inputs).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Layer {
    /// Weight of the norm before attention.
    pub attention_norm: Vector,
    /// Its bias.
    pub attention_norm_bias: Vector,
    /// (heads * head size, embedding).
    pub query: Matrix,
    /// Its bias.
    pub query_bias: Vector,
    /// (kv_heads * head size, embedding).
    pub key: Matrix,
    /// Its bias.
    pub key_bias: Vector,
    /// (kv_heads * head size, embedding).
    pub value: Matrix,
    /// Its bias.
    pub value_bias: Vector,
    /// (embedding, heads * head size).
    pub output: Matrix,
    /// Its bias.
    pub output_bias: Vector,
    /// Weight of the norm before the feed-forward network.
    pub feed_forward_norm: Vector,
    /// Its bias.
    pub feed_forward_norm_bias: Vector,
    /// (feed_forward, embedding); none with GELU.
    pub gate: Matrix,
    /// Its bias.
    pub gate_bias: Vector,
    /// (feed_forward, embedding).
    pub up: Matrix,
    /// Its bias.
    pub up_bias: Vector,
    /// (embedding, feed_forward).
    pub down: Matrix,
    /// Its bias.
    pub down_bias: Vector,
}

impl Layer {
    /// A layer without weights.
    pub const EMPTY: Layer = Layer {
        attention_norm: Vector::NONE,
        attention_norm_bias: Vector::NONE,
        query: Matrix::NONE,
        query_bias: Vector::NONE,
        key: Matrix::NONE,
        key_bias: Vector::NONE,
        value: Matrix::NONE,
        value_bias: Vector::NONE,
        output: Matrix::NONE,
        output_bias: Vector::NONE,
        feed_forward_norm: Vector::NONE,
        feed_forward_norm_bias: Vector::NONE,
        gate: Matrix::NONE,
        gate_bias: Vector::NONE,
        up: Matrix::NONE,
        up_bias: Vector::NONE,
        down: Matrix::NONE,
        down_bias: Vector::NONE,
    };
}

impl Model {
    /// A model without weights.
    pub fn empty(level: Level, shape: Hyperparameters) -> Model {
        Model {
            level,
            shape,
            embedding: Matrix::NONE,
            positions: Matrix::NONE,
            head: Matrix::NONE,
            output_norm: Vector::NONE,
            output_norm_bias: Vector::NONE,
            rotations: Items::NONE,
        }
    }

    /// Bytes of a model with `layers` layers.
    pub fn bytes(layers: u32) -> Option<usize> {
        (layers as usize)
            .checked_mul(size_of::<Layer>())?
            .checked_add(size_of::<Model>())
    }

    /// Rotation of `position`; `None` when the model has learned positions.
    pub fn rotation<'a>(&self, arena: Arena<'a>, position: u32) -> Option<Rotation<'a>> {
        let (bytes, _) = self.rotations.run(arena, position, 1)?;
        let values: &[f32] = pod::cast(bytes)?;
        let (cos, sin) = values.split_at_checked(values.len() / 2)?;
        Some(Rotation { cos, sin })
    }
}
