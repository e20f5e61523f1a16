// SPDX-License-Identifier: GPL-2.0
//! The numbers of one layer, which may differ from those of the others.

use crate::math::fma::sqrt;
use crate::memory::kv::KvLayout;
use crate::model::latent::Latent;
use crate::model::number::LAYERS_MAX;
use crate::model::part::Part;
use crate::simd::attention::partial::partial_values;
use crate::simd::format::GROUP_ROWS;

/// What mixes the positions of a layer.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mixer {
    /// Attention to keys and values in the cache.
    Attention = 0,
    /// A short convolution.
    Convolution = 1,
    /// A gated delta rule behind a short convolution.
    Delta = 2,
    /// Attention to one row a position, of all heads.
    Latent = 3,
}

/// Columns of a convolution that are computed together.
pub const STRIP: usize = 64;

/// The shape of a layer. All zero: none.
///
/// # Invariants
///
/// `heads` is a multiple of `kv_heads`, neither is 0 but of a convolution; `heads * query_stride` is
/// at most 65536.
#[repr(C)]
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug))]
pub struct LayerShape {
    /// What mixes its positions.
    pub mixer: Mixer,
    /// Query heads; of a delta rule value heads.
    pub heads: u32,
    /// Key and value heads; of a delta rule query and key heads.
    pub kv_heads: u32,
    /// Dimensions of a head.
    pub head_size: u32,
    /// Columns of a query head, with its gate.
    pub query_stride: u32,
    /// Dimensions of a head that rotate, even; 0 where none do.
    pub rotated: u32,
    /// Width of the hidden layer of the feed-forward network.
    pub feed_forward: u32,
    /// Values of a KV block that are those of layers before.
    pub cache: u32,
    /// Scales of a KV block that are those of layers before, where it has any.
    pub cache_scales: u32,
    /// Whether its keys and values are those of a layer before.
    pub shares: bool,
    /// Which one.
    pub lender: u32,
    /// Columns of its convolution; 0 without one.
    pub convolved: u32,
    /// Dimensions of a key that a head of latent attention makes; 0 without it.
    pub key_size: u32,
    /// Dimensions of a value that it makes.
    pub value_size: u32,
    /// Whether its feed-forward network has experts.
    pub experts: bool,
    /// Values of a sequence's state that are those of layers before.
    pub state: u32,
}

/// The shapes of all layers.
#[repr(C)]
pub struct LayerShapes {
    /// By layer.
    pub all: [LayerShape; LAYERS_MAX as usize],
}

impl LayerShapes {
    /// Those of the first `layers` layers.
    pub fn first(&self, layers: u32) -> &[LayerShape] {
        self.all.get(..layers as usize).unwrap_or_default()
    }
}

impl LayerShape {
    /// No layer.
    pub const NONE: LayerShape = LayerShape {
        mixer: Mixer::Attention,
        heads: 0,
        kv_heads: 0,
        head_size: 0,
        query_stride: 0,
        rotated: 0,
        feed_forward: 0,
        cache: 0,
        cache_scales: 0,
        shares: false,
        lender: 0,
        convolved: 0,
        key_size: 0,
        value_size: 0,
        experts: false,
        state: 0,
    };

    /// Columns of the queries, with their gates.
    #[inline(always)]
    pub fn query_columns(&self) -> u32 {
        self.heads.saturating_mul(self.query_stride)
    }

    /// Columns of what all heads give.
    #[inline(always)]
    pub fn attended_columns(&self) -> u32 {
        self.heads.saturating_mul(self.head_size)
    }

    /// Columns of a head of the rows of `part`.
    pub fn query_stride_of(&self, part: Part) -> u32 {
        match part {
            Part::Query | Part::QueryBias | Part::QueryNorm => self.query_stride,
            _ => self.head_size,
        }
    }

    /// Columns that a mixer which is no attention projects.
    pub fn mixer_columns(&self) -> u32 {
        match self.mixer {
            Mixer::Attention | Mixer::Latent => 0,
            Mixer::Convolution => self.convolved.saturating_mul(3),
            Mixer::Delta => self.convolved,
        }
    }

    /// Strips of columns of its convolution.
    pub fn strips(&self) -> u32 {
        // CAST: A small constant.
        #[expect(clippy::cast_possible_truncation)]
        let strip = STRIP as u32;
        self.convolved.div_ceil(strip)
    }

    /// Columns of what such a mixer gives.
    pub fn mixed_columns(&self) -> u32 {
        match self.mixer {
            Mixer::Attention => 0,
            Mixer::Convolution => self.convolved,
            Mixer::Delta => self.attended_columns(),
            Mixer::Latent => self.heads.saturating_mul(self.value_size),
        }
    }

    /// Columns of the query projection.
    pub fn projected_columns(&self) -> u32 {
        match self.mixer {
            Mixer::Latent => self.heads.saturating_mul(self.key_size),
            _ => self.query_columns(),
        }
    }

    /// Columns of a step's row, behind the queries, where what queries are made from begins, what keys
    /// and values are made from, and the queries before that; and their end.
    pub fn latent_columns(&self, latent: &Latent) -> [usize; 4] {
        let padded = |columns: u32| (columns as usize).next_multiple_of(GROUP_ROWS);
        let first = padded(self.query_columns());
        let row = first + padded(latent.queries);
        let queries = row + padded(self.head_size);
        [
            first,
            row,
            queries,
            queries + padded(self.projected_columns()),
        ]
    }

    /// Columns of a step's row where the mixer's gate begins, then the rates and times of its heads.
    pub fn gate_columns(&self) -> [usize; 3] {
        let padded = |columns: u32| (columns as usize).next_multiple_of(GROUP_ROWS);
        let gate = padded(self.mixer_columns());
        let rates = gate + padded(self.mixed_columns());
        [gate, rates, rates + padded(self.heads)]
    }

    /// Values of a sequence's state: inputs of the convolution, then a matrix of each head; `None`
    /// when they are too many.
    pub fn state_values(&self, taps: u32) -> Option<u32> {
        let inputs = self.convolved.checked_mul(taps.saturating_sub(1))?;
        let heads = match self.mixer {
            Mixer::Delta => self.heads.checked_mul(self.matrix_values())?,
            _ => 0,
        };
        inputs.checked_add(heads)
    }

    /// 1 / sqrt(dimensions of a head).
    pub fn root_of_size(&self) -> f32 {
        1.0 / sqrt(self.head_size as f32)
    }

    /// Values of the matrix of a head.
    pub fn matrix_values(&self) -> u32 {
        self.head_size.saturating_mul(self.head_size)
    }

    /// Columns of the keys, and of the values.
    pub fn kv_columns(&self) -> u32 {
        self.kv_heads.saturating_mul(self.head_size)
    }

    /// Column of a step's row of queries that its keys begin at, where a later stage stores them.
    pub fn key_column(&self) -> usize {
        (self.query_columns() as usize).next_multiple_of(GROUP_ROWS)
    }

    /// Column that its values begin at, likewise.
    pub fn value_column(&self) -> usize {
        self.key_column() + (self.kv_columns() as usize).next_multiple_of(GROUP_ROWS)
    }

    /// Where its keys and values are in a KV block.
    #[inline(always)]
    pub fn kv_layout(&self) -> KvLayout {
        KvLayout {
            first: self.cache,
            first_scale: self.cache_scales,
            kv_heads: self.kv_heads,
            head_size: self.head_size,
        }
    }

    /// Its values of a KV block; `None` when they are too many.
    pub fn cached_values(&self) -> Option<u32> {
        match self.mixer {
            Mixer::Attention | Mixer::Latent if !self.shares => self.kv_layout().values(),
            _ => Some(0),
        }
    }

    /// Its scales of a KV block, where that has any; `None` when they are too many.
    pub fn cached_scales(&self) -> Option<u32> {
        match self.mixer {
            Mixer::Attention | Mixer::Latent if !self.shares => self.kv_layout().scales(),
            _ => Some(0),
        }
    }

    /// Heads that share keys and values.
    #[inline(always)]
    pub fn group(&self) -> u32 {
        self.heads.checked_div(self.kv_heads).unwrap_or(1)
    }
}

/// The largest sizes of what a layer computes of a row, in values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Widths {
    /// Queries, and what is kept beside them.
    pub query: u32,
    /// What a matrix multiplies, beside the residual stream and hidden layers.
    pub input: u32,
    /// Partial results of attention to a segment.
    pub partial: u32,
    /// What a delta rule or latent attention gives.
    pub mixed: u32,
    /// Heads with a matrix of their own.
    pub by_head: u32,
}

impl Widths {
    /// Grows to those of `layer`; `None` when they are too large.
    pub fn hold(&mut self, latent: &Latent, layer: &LayerShape) -> Option<()> {
        let query = match layer.mixer {
            Mixer::Attention => {
                let beside = padded(layer.kv_columns())?.checked_mul(2)?;
                padded(layer.query_columns())?.checked_add(beside)?
            }
            Mixer::Latent => {
                let [.., end] = layer.latent_columns(latent);
                u32::try_from(end).ok()?
            }
            Mixer::Convolution | Mixer::Delta => {
                let [.., times] = layer.gate_columns();
                u32::try_from(times)
                    .ok()?
                    .checked_add(padded(layer.heads)?)?
            }
        };
        let partial = u32::try_from(partial_values(layer.head_size as usize)).ok()?;
        let input = layer.attended_columns().max(layer.mixed_columns());
        let input = input.max(latent.queries).max(latent.rank);
        if layer.mixer == Mixer::Latent {
            self.by_head = self.by_head.max(layer.heads);
        }
        self.query = self.query.max(query);
        self.input = self.input.max(input);
        if matches!(layer.mixer, Mixer::Attention | Mixer::Latent) {
            self.partial = self.partial.max(layer.heads.checked_mul(partial)?);
        }
        if matches!(layer.mixer, Mixer::Delta | Mixer::Latent) {
            self.mixed = self.mixed.max(padded(layer.mixed_columns())?);
        }
        Some(())
    }
}

/// `columns` in whole groups.
fn padded(columns: u32) -> Option<u32> {
    // CAST: A small constant.
    #[expect(clippy::cast_possible_truncation)]
    let group = GROUP_ROWS as u32;
    columns.checked_next_multiple_of(group)
}
