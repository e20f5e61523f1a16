// SPDX-License-Identifier: GPL-2.0
//! The chunks of latent attention.

use core::ops::Range;

use crate::memory::cache::Store;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::simd::activation::TILE_ROWS;
use crate::step::input::Input;
use crate::step::latent;
use crate::step::packing::Rows;
use crate::step::packing::Source;
use crate::step::packing::merge_row;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::projections;
use crate::step::task::Task;
use crate::wall::chunk::Memory;
use crate::wall::chunk::Slot;
use crate::wall::chunk::tiles;

impl<'a> Memory<'a> {
    /// What `input` of latent attention of `layer` is made of.
    ///
    /// # Safety
    ///
    /// A stage that packs or multiplies `input` runs.
    pub(super) unsafe fn latent_source(
        &self,
        task: &Task<'_>,
        input: Input,
        layer: u32,
    ) -> Option<Source<'a>> {
        let own = task.shape(layer)?;
        let [first, _, projected, _] = own.latent_columns(&task.model.shape.latent);
        let rows = Rows {
            // SAFETY: The columns of the rows that such a stage reads it does not write, and no slice
            // of them is made meanwhile that may be written.
            values: unsafe { self.read(self.places.query) },
            stride: self.places.query_width,
        };
        match input {
            Input::QueryUp(_) => Some(Source::Columns(rows, first)),
            Input::KeyUp(_) => Some(Source::Heads(rows, projected, own.key_size as usize)),
            Input::ValueUp(_) => Some(Source::Heads(rows, 0, own.head_size as usize)),
            _ => None,
        }
    }

    /// Prepares what `count` tiles of rows from tile `first` on compare and store.
    ///
    /// # Safety
    ///
    /// That stage of `layer` runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn latent(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (place, stride) = (self.places.query, self.places.query_width);
        let layout = task.shape(layer)?.kv_layout();
        // SAFETY: The cells of the layer at the positions of these rows are ours in this stage, and
        // the slot is.
        let (mut cache, room) = unsafe {
            let cache = Store::new(task.batch.rows(), layout, task.model.level);
            (cache, self.own(slot, self.places.parts.values))
        };
        for row in first..first + rows {
            // SAFETY: The row is ours in this stage.
            let values = unsafe { self.write(place, row * stride, stride)? };
            latent::prepare(task, layer, row, values, room, &mut cache)?;
        }
        Some(())
    }

    /// Merges what `count` tiles of rows from tile `first` on attended to.
    ///
    /// # Safety
    ///
    /// That stage of `layer` runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn merge(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (place, stride) = (self.places.query, self.places.query_width);
        let columns = task.shape(layer)?.query_columns() as usize;
        for row in first..first + rows {
            // SAFETY: The row and the slot are ours in this stage; nobody writes partial results.
            unsafe {
                let partials = self.read(self.places.partial);
                let room = self.own(slot, self.places.parts.partial);
                let out = self.write(place, row * stride, columns)?;
                merge_row(task, layer, row, partials, room, out)?;
            }
        }
        Some(())
    }

    /// [`Memory::multiply`] of what only latent attention has.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups are the caller's.
    #[inline(never)]
    pub(super) unsafe fn of_latent(
        &self,
        task: &Task<'_>,
        input: Input,
        groups: Range<u32>,
        operands: Operands<'_>,
        room: &mut [f32],
    ) -> Option<()> {
        let places = self.places;
        let number = input.layer()?;
        let (layer, own) = (task.layer(number)?, task.shape(number)?);
        let [first, _, projected, _] = own.latent_columns(&task.model.shape.latent);
        let (start, count) = (groups.start, groups.end.checked_sub(groups.start)?);
        // Columns of our groups in a part whose outputs begin at column `base`.
        let range = |base: usize, most: usize| {
            let first = base + start as usize * GROUP_ROWS as usize;
            let end = first + count as usize * GROUP_ROWS as usize;
            first..end.min(base + most)
        };
        let (query, width) = (places.query, places.query_width);
        match input {
            Input::LatentDown(_) => {
                let parts = [Part::QueryDown, Part::LatentDown, Part::Query];
                let parts = parts.map(|part| Projection::without_bias(layer, part));
                // SAFETY: The columns of our groups are ours, and the input is not made of them.
                let out = unsafe { self.strip(query, width, range(first, width)) };
                projections::run(task, parts, groups, operands, room, (out, first))
            }
            Input::QueryUp(_) => {
                let parts = [Projection::without_bias(layer, Part::QueryUp)];
                // SAFETY: As above.
                let out = unsafe { self.strip(query, width, range(projected, width)) };
                projections::run(task, parts, groups, operands, room, (out, projected))
            }
            Input::KeyUp(_) | Input::ValueUp(_) => {
                let (part, place, stride, apart) = match input {
                    Input::KeyUp(_) => (Part::KeyUp, query, width, own.head_size as usize),
                    _ => {
                        let apart = own.value_size as usize;
                        (Part::ValueUp, places.mixed, places.mixed_width, apart)
                    }
                };
                let part = Projection::without_bias(layer, part);
                for head in 0..own.heads {
                    let base = head as usize * apart;
                    // SAFETY: As above; the columns of the heads are apart.
                    let mut out = unsafe { self.strip(place, stride, range(base, apart)) };
                    let (head, out) = ((head, own.heads), (&mut out, base));
                    latent::by_head(task, part, head, groups.clone(), operands, room, out)?;
                }
                Some(())
            }
            _ => None,
        }
    }
}
