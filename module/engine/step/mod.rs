// SPDX-License-Identifier: GPL-2.0
//! One forward pass over a batch of rows, as a list of stages cut into chunks (design: stages, chunks, claims).
//!
//! The functions here see slices only. What a chunk may read and write is decided in `wall::step`,
//! and no number depends on how a stage is cut.

pub mod adapters;
pub mod batch;
pub mod convolution;
pub mod delta;
pub mod embedding;
pub mod experts;
pub mod feed_forward;
pub mod head;
pub mod heads;
pub mod input;
pub mod join;
pub mod latent;
pub mod merge;
pub mod packing;
pub(crate) mod pairs;
pub mod per_layer;
pub mod places;
pub mod pooling;
pub mod product;
pub mod program;
pub mod projections;
pub mod query_key_value;
pub mod residual;
pub mod route;
pub mod segment;
pub mod stage;
pub mod task;
