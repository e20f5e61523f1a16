// SPDX-License-Identifier: GPL-2.0
//! The chunks of embeddings that each layer has of each token.

use crate::simd::activation::TILE_ROWS;
use crate::step::packing::Rows;
use crate::step::per_layer;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;
use crate::wall::chunk::memory::tiles;
use crate::wall::chunk::multiplication::Multiplication;

impl Memory<'_> {
    /// Makes the embeddings of all layers for `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage of these embeddings runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn per_layer(
        &self,
        task: &Task<'_>,
        slot: Slot,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (place, stride) = (self.places.per_layer, self.places.per_layer_width);
        // SAFETY: These rows are ours in this stage, and the slot is.
        let (values, room) = unsafe {
            let values = self.write(place, first * stride, rows * stride)?;
            (values, self.own(slot, self.places.parts.values))
        };
        per_layer::run(task, first, values, stride, room)
    }

    /// Computes groups of the gated embeddings of a layer.
    ///
    /// # Safety
    ///
    /// The stage that does so in `layer` runs, and these groups are the caller's.
    #[inline(never)]
    pub(super) unsafe fn gate(
        &self,
        task: &Task<'_>,
        layer: u32,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let places = self.places;
        // SAFETY: Nobody writes the embeddings of the layers in this stage, and the columns of our
        // groups are ours.
        let (rows, out) = unsafe {
            let rows = Rows {
                values: self.read(places.per_layer),
                stride: places.per_layer_width,
            };
            let out = self.columns(places.hidden, places.hidden_width, &work.groups);
            (rows, out)
        };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        let layer = (layer, task.layer(layer)?);
        per_layer::gate(task, layer, groups, operands, room, rows, out)
    }
}
