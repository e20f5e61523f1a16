// SPDX-License-Identifier: GPL-2.0
//! The chunks of latent attention.

use crate::memory::cache::Store;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::simd::activation::TILE_ROWS;
use crate::step::input::Input;
use crate::step::latent;
use crate::step::packing::Rows;
use crate::step::packing::Source;
use crate::step::packing::merge_row;
use crate::step::places::Place;
use crate::step::product::Projection;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;
use crate::wall::chunk::memory::tiles;
use crate::wall::chunk::multiplication::Multiplication;

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

    /// Multiplies groups of `part`, which has a matrix of each head, with the rows of the heads; what a
    /// head gives fills `each` columns of `place`, one head after the other.
    ///
    /// # Safety
    ///
    /// The stage that does so in `layer` runs, and these groups are the caller's.
    #[inline(never)]
    pub(super) unsafe fn by_head(
        &self,
        task: &Task<'_>,
        (layer, part): (u32, Part),
        (place, stride): (Place, usize),
        each: u32,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let heads = task.shape(layer)?.heads;
        let part = Projection::without_bias(task.layer(layer)?, part);
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        let column = |group: u32| (group as usize * GROUP_ROWS as usize).min(each as usize);
        for head in 0..heads {
            let base = head as usize * each as usize;
            let range = base + column(groups.start)..base + column(groups.end);
            // SAFETY: The columns of our groups of each head are ours, and the input is not made of
            // them.
            let mut out = unsafe { self.strip(place, stride, range) };
            let (head, out) = ((head, heads), (&mut out, base));
            latent::by_head(task, part, head, groups.clone(), operands, room, out)?;
        }
        Some(())
    }
}
