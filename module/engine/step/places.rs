// SPDX-License-Identifier: GPL-2.0
//! Where the parts of a step lie in its memory.

use crate::abi::ALIGN;
use crate::abi::StepShape;
use crate::memory::kv::SEGMENT;
use crate::model::Hyperparameters;
use crate::model::matrix::GROUP_ROWS;
use crate::simd::activation::ActivationKind;
use crate::simd::activation::INT8_BLOCK;
use crate::simd::activation::TILE_ROWS;
use crate::simd::activation::WIDE_BLOCK;
use crate::simd::attention::partial::partial_values;
use crate::step::batch::NARROW_ROWS;
use crate::step::pairs::PARTS_MAX;
use crate::step::route::Route;
use crate::step::stage;
use crate::step::stage::NARROW_GROUPS;
use crate::step::stage::Planned;
use crate::step::stage::WIDE_GROUPS;

/// A part of the memory, in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// First byte.
    pub offset: usize,
    /// Number of bytes.
    pub bytes: usize,
}

/// The parts of a step. Strides are in f32 values.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The planned stages.
    pub stages: Place,
    /// Residual stream: (row, `width`).
    pub residual: Place,
    /// Queries: (row, `query_width`); behind them keys and values, where a later stage takes whole heads.
    pub query: Place,
    /// What a delta rule or latent attention gives: (row, `mixed_width`).
    pub mixed: Place,
    /// Embeddings that the layers have of the tokens: (row, `per_layer_width`).
    pub per_layer: Place,
    /// What a branch adds to the residual stream, where it is normalized before: (row, `width`).
    pub branch: Place,
    /// Scores of the experts: (row, `scores_width`).
    pub scores: Place,
    /// Chosen experts: (row, those used and the shared one).
    pub routes: Place,
    /// Hidden layers of the chosen experts: (row, expert used, `expert_width`).
    pub expert_hidden: Place,
    /// Partial results of attention: (row, kv head, segment, head of the group, values).
    pub partial: Place,
    /// Hidden layer of the feed-forward network, or of the shared expert, or the embeddings that a
    /// layer has: (row, `hidden_width`).
    pub hidden: Place,
    /// What adapters make of an input: (row, `reduced_width`).
    pub reduced: Place,
    /// Logits: (row with logits, `logits_width`).
    pub logits: Place,
    /// Packed rows of a wide batch, as f32.
    pub float: Place,
    /// Packed rows of a wide batch, in 8-bit blocks of 32.
    pub int8: Place,
    /// Packed rows of a wide batch, in 8-bit blocks of 256.
    pub int8_wide: Place,
    /// The first worker slot; the others follow.
    pub slot: Place,
    /// Number of slots.
    pub slots: usize,
    /// Stride of the residual stream.
    pub width: usize,
    /// Stride of the queries.
    pub query_width: usize,
    /// Stride of what a delta rule or latent attention gives.
    pub mixed_width: usize,
    /// Stride of the embeddings of the layers.
    pub per_layer_width: usize,
    /// Stride of the hidden layer.
    pub hidden_width: usize,
    /// Stride of what adapters make of an input.
    pub reduced_width: usize,
    /// Stride of the logits.
    pub logits_width: usize,
    /// Stride of the scores of the experts.
    pub scores_width: usize,
    /// Stride of the hidden layers of the experts.
    pub expert_width: usize,
    /// Parts of a slot, from its first byte.
    pub parts: SlotParts,
    /// All bytes.
    pub bytes: usize,
}

/// The parts of a worker slot.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SlotParts {
    /// The pass and stage whose input is packed: u64.
    pub packed_for: Place,
    /// Values of a tile of rows.
    pub values: Place,
    /// One partial result of attention.
    pub partial: Place,
    /// Packed rows of a narrow batch, as f32.
    pub float: Place,
    /// Packed rows of a narrow batch, in 8-bit blocks of 32.
    pub int8: Place,
    /// Packed rows of a narrow batch, in 8-bit blocks of 256.
    pub int8_wide: Place,
    /// Products of a chunk.
    pub products: Place,
}

/// The ranks of the adapters of a step.
#[derive(Clone, Copy, Default)]
pub struct Ranks {
    /// The sum of the largest of each, in whole groups.
    pub sum: usize,
    /// The largest of all, in whole groups.
    pub largest: usize,
}

impl Ranks {
    /// Adds an adapter of at most this rank; `None` when they are too large.
    pub fn add(&mut self, rank: u32) -> Option<()> {
        let rank = (rank as usize).checked_next_multiple_of(GROUP_ROWS as usize)?;
        self.sum = self.sum.checked_add(rank)?;
        self.largest = self.largest.max(rank);
        Some(())
    }
}

/// Gives out memory from its start; nothing more once it overflowed.
struct Cursor {
    used: Option<usize>,
}

impl Cursor {
    /// Room for the product of `factors` bytes.
    fn take(&mut self, factors: &[usize]) -> Place {
        let offset = self.used.unwrap_or(0);
        let bytes = factors
            .iter()
            .try_fold(1usize, |bytes, factor| bytes.checked_mul(*factor));
        self.used = self
            .used
            .and_then(|used| used.checked_add(bytes?)?.checked_next_multiple_of(ALIGN));
        Place {
            offset,
            bytes: bytes.unwrap_or(0),
        }
    }
}

impl Places {
    /// The parts of a step of `shape` with adapters of these ranks, after `header` bytes; `None` when they
    /// overflow.
    pub fn new(
        header: usize,
        model: &Hyperparameters,
        ranks: Ranks,
        shape: &StepShape,
    ) -> Option<Places> {
        const VALUE: usize = size_of::<f32>();
        let padded =
            |columns: u32| (columns as usize).checked_next_multiple_of(GROUP_ROWS as usize);
        let width = padded(model.embedding)?;
        let experts = &model.experts;
        let used = experts.used as usize;
        let query_width = padded(model.widths.query)?;
        let input = padded(model.widths.input)?;
        let dense = if used > 0 && experts.dense == 0 {
            experts.shared
        } else {
            model.feed_forward.max(experts.shared)
        };
        let hidden_width = padded(dense.max(model.per_layer).max(model.embeddings.dense))?;
        let per_layer_width = padded(model.all_per_layer())?;
        let logits_width = padded(model.vocabulary)?;
        // Behind the scores of the experts that of the shared one.
        let scores_width = padded(experts.count)?.checked_add(padded(experts.shared.min(1))?)?;
        let expert_width = padded(experts.hidden)?;
        let widest = width.max(input).max(hidden_width).max(expert_width);
        let float_row = ActivationKind::F32.bytes(widest)?;
        let blocks = widest.checked_next_multiple_of(INT8_BLOCK)?;
        let int8_row = ActivationKind::Int8Per32.bytes(blocks)?;
        let blocks = widest.checked_next_multiple_of(WIDE_BLOCK)?;
        let int8_wide_row = ActivationKind::Int8Per256.bytes(blocks)?;
        let rows = shape.rows as usize;
        let wide_rows = if rows > NARROW_ROWS { rows } else { 0 };
        let wide_logits = if shape.logits as usize > NARROW_ROWS {
            shape.logits as usize
        } else {
            0
        };
        let wide = wide_rows.max(wide_logits);
        // Each row has a hidden layer of each of its experts, or a row of each of its heads.
        let by_head = model.widths.by_head as usize;
        let packed = |kind: ActivationKind, rows: usize, row: usize| {
            let of_head = (model.latent.rank.max(model.latent.key) as usize)
                .checked_next_multiple_of(WIDE_BLOCK)?;
            let heads = match by_head {
                0 => 0,
                heads => heads.checked_mul(kind.bytes(of_head)?)?,
            };
            rows.checked_mul(used.max(1).checked_mul(row)?.max(heads))
        };
        let segments = (shape.context as usize).div_ceil(SEGMENT);
        // The stages count the units of attention in 32 bits.
        let tiles = rows.div_ceil(TILE_ROWS);
        let units = tiles
            .checked_mul(model.kv_heads as usize)?
            .checked_mul(segments)?;
        u32::try_from(units).ok()?;
        let partial = partial_values(model.head_size as usize);
        let narrow_products = NARROW_ROWS.min(rows) * NARROW_GROUPS as usize;
        let products = narrow_products.max(wide * WIDE_GROUPS as usize);
        let reduced_width = ranks.sum.checked_mul(PARTS_MAX)?;
        // For the product of a pair and the packed rows that it is of.
        let extended = match ranks.largest {
            0 => 0,
            rank => {
                let packed = rank.checked_mul(rows.max(NARROW_ROWS) + TILE_ROWS)?;
                let product = products.checked_mul(GROUP_ROWS as usize)?;
                product.checked_add(packed)?.checked_add(rank)?
            }
        };
        let all_products = (2 * products)
            .checked_mul(GROUP_ROWS as usize)?
            .checked_add(extended)?;
        let branches = model.architecture.norms.behind();

        let mut slot = Cursor { used: Some(0) };
        let tile = TILE_ROWS.checked_mul(widest)?;
        let parts = SlotParts {
            packed_for: slot.take(&[size_of::<u64>()]),
            values: slot.take(&[tile, VALUE]),
            partial: slot.take(&[partial, VALUE]),
            float: slot.take(&[packed(ActivationKind::F32, NARROW_ROWS, float_row)?]),
            int8: slot.take(&[packed(ActivationKind::Int8Per32, NARROW_ROWS, int8_row)?]),
            int8_wide: slot.take(&[packed(
                ActivationKind::Int8Per256,
                NARROW_ROWS,
                int8_wide_row,
            )?]),
            products: slot.take(&[all_products, VALUE]),
        };
        let slot_bytes = slot.used?;

        let mut all = Cursor { used: Some(header) };
        all.take(&[0]);
        let slots = shape.workers as usize;
        let mut places = Places {
            stages: all.take(&[
                stage::most(model.layers, ranks.sum > 0),
                size_of::<Planned>(),
            ]),
            residual: all.take(&[rows, width, VALUE]),
            query: all.take(&[rows, query_width, VALUE]),
            mixed: all.take(&[rows, model.widths.mixed as usize, VALUE]),
            per_layer: all.take(&[rows, per_layer_width, VALUE]),
            branch: all.take(&[if branches { rows } else { 0 }, width, VALUE]),
            scores: all.take(&[rows, scores_width, VALUE]),
            routes: all.take(&[
                rows,
                if used > 0 { used + 1 } else { 0 },
                size_of::<Route>(),
            ]),
            expert_hidden: all.take(&[rows, used, expert_width, VALUE]),
            partial: all.take(&[rows, segments, model.widths.partial as usize, VALUE]),
            hidden: all.take(&[rows, hidden_width, VALUE]),
            reduced: all.take(&[rows, reduced_width, VALUE]),
            logits: all.take(&[shape.logits as usize, logits_width, VALUE]),
            float: all.take(&[packed(ActivationKind::F32, wide, float_row)?]),
            int8: all.take(&[packed(ActivationKind::Int8Per32, wide, int8_row)?]),
            int8_wide: all.take(&[packed(ActivationKind::Int8Per256, wide, int8_wide_row)?]),
            slot: all.take(&[slot_bytes]),
            slots,
            width,
            query_width,
            mixed_width: model.widths.mixed as usize,
            per_layer_width,
            hidden_width,
            reduced_width,
            logits_width,
            scores_width,
            expert_width,
            parts,
            bytes: 0,
        };
        all.take(&[slot_bytes, slots.checked_sub(1)?]);
        places.bytes = all.used?;
        Some(places)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::kv::KvType;
    use crate::memory::kv::TILE;

    #[test]
    fn a_small_model_runs_in_eight_megabytes() {
        let model = Hyperparameters {
            layers: 6,
            embedding: 384,
            heads: 6,
            kv_heads: 6,
            head_size: 64,
            rotated: 64,
            feed_forward: 1536,
            vocabulary: 32000,
            trained_context: 256,
            context: 256,
            ..Hyperparameters::llama()
        }
        .measured();
        let shape = StepShape {
            rows: 64,
            logits: 8,
            workers: 3,
            context: 256,
        };
        let step = Places::new(4096, &model, Ranks::default(), &shape)
            .unwrap()
            .bytes;
        let blocks = 256 / TILE;
        let kv = blocks * model.block_bytes(KvType::F16) as usize;
        assert_eq!(kv, 6 * 256 * 2 * 384 * 2);
        assert!(
            step + kv <= 8 << 20,
            "{step} bytes of the step, {kv} of keys and values"
        );
    }

    #[test]
    fn more_units_of_attention_than_a_stage_counts_are_refused() {
        let shape = |context| StepShape {
            rows: 64,
            logits: 8,
            workers: 1,
            context,
        };
        let model = Hyperparameters {
            layers: 1,
            embedding: 65536,
            heads: 65536,
            kv_heads: 65536,
            head_size: 1,
            rotated: 0,
            feed_forward: 32,
            vocabulary: 32,
            trained_context: 1 << 20,
            context: 1 << 20,
            ..Hyperparameters::llama()
        }
        .measured();
        assert!(Places::new(4096, &model, Ranks::default(), &shape(1 << 19)).is_some());
        assert!(Places::new(4096, &model, Ranks::default(), &shape(1 << 20)).is_none());
    }

    #[test]
    fn parts_are_aligned_and_apart() {
        let model = Hyperparameters {
            layers: 2,
            embedding: 48,
            heads: 3,
            kv_heads: 3,
            head_size: 16,
            rotated: 0,
            feed_forward: 172,
            vocabulary: 11,
            trained_context: 600,
            context: 600,
            ..Hyperparameters::llama()
        }
        .measured();
        for (rows, logits) in [(1, 1), (4, 1), (5, 1), (64, 8), (3, 8)] {
            let shape = StepShape {
                rows,
                logits,
                workers: 3,
                context: 300,
            };
            let places = Places::new(100, &model, Ranks::default(), &shape).unwrap();
            let Places {
                stages,
                residual,
                query,
                branch,
                scores,
                routes,
                expert_hidden,
                partial,
                hidden,
                logits,
                float,
                int8,
                int8_wide,
                slot,
                ..
            } = places;
            let mut end = 100;
            for part in [
                stages,
                residual,
                query,
                branch,
                scores,
                routes,
                expert_hidden,
                partial,
                hidden,
                logits,
                float,
                int8,
                int8_wide,
                slot,
            ] {
                assert!(part.offset >= end && part.offset % ALIGN == 0);
                end = part.offset + part.bytes;
            }
            assert!(places.bytes >= end + 2 * slot.bytes);
            let SlotParts {
                packed_for,
                values,
                partial,
                float,
                int8,
                int8_wide,
                products,
            } = places.parts;
            let mut end = 0;
            for part in [
                packed_for, values, partial, float, int8, int8_wide, products,
            ] {
                assert!(part.offset >= end && part.offset % ALIGN == 0);
                end = part.offset + part.bytes;
            }
            assert!(slot.bytes >= end);
        }
    }
}
