// SPDX-License-Identifier: GPL-2.0
//! The model: its shape, its packed weights in the arena, and the machine that loads them.

pub mod adapter;
pub mod architecture;
pub mod embeddings;
pub mod experts;
pub mod heads;
pub mod hyperparameters;
pub mod keys;
pub mod latent;
pub mod layer_shape;
pub mod load;
pub mod made;
pub mod matrix;
pub mod mixers;
pub mod number;
pub mod order;
pub mod part;
pub mod plan;
pub mod presence;
pub mod reader;
pub mod role;
pub mod rope;
pub mod rotations;
pub mod rule;
pub mod scales;
pub mod vector;
pub mod weights;
pub mod windows;

pub use architecture::Architecture;
pub use hyperparameters::Hyperparameters;
pub use part::Part;
pub use weights::Layer;
pub use weights::Model;
