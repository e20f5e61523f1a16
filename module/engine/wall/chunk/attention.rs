// SPDX-License-Identifier: GPL-2.0
//! The chunks of attention: heads made ready, and what their queries attend to.

use crate::memory::cache::Blocks;
use crate::memory::cache::Cell;
use crate::memory::cache::Store;
use crate::model::architecture::HeadNorm;
use crate::model::layer_shape::LayerShape;
use crate::simd::activation::TILE_ROWS;
use crate::simd::attention::partial::partial_values;
use crate::step::heads;
use crate::step::heads::Heads;
use crate::step::query_key_value::waiting;
use crate::step::segment;
use crate::step::segment::Attendant;
use crate::step::segment::Unit;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;
use crate::wall::chunk::memory::tiles;

impl<'a> Memory<'a> {
    /// Normalizes, rotates and stores the heads of `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The stage of `layer`'s heads runs, and these units and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn heads(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (shape, places) = (task.shape(layer)?, self.places);
        // All heads of a row together, or each kv head with those that share it.
        let units = match task.model.shape.architecture.head_norm {
            HeadNorm::Row => 1,
            HeadNorm::None | HeadNorm::Head => shape.kv_heads,
        };
        let kv_heads = shape.kv_heads.checked_div(units)?;
        let stored = if shape.shares { 0 } else { kv_heads };
        let keys = stored as usize * shape.head_size as usize;
        let normalized = task.model.shape.architecture.value_norm;
        let values = if normalized { keys } else { 0 };
        let queries = shape.group().checked_mul(kv_heads)? as usize * shape.query_stride as usize;
        // SAFETY: The cells of these heads' keys at the rows' positions are ours in this stage.
        let mut cache = unsafe {
            let rows = task.batch.rows();
            Store::new(rows, shape.kv_layout(), task.model.level)
        };
        // SAFETY: The slot is ours.
        let room = unsafe { self.own(slot, places.parts.values) };
        for unit in first..first.checked_add(count)? {
            let (tile, head) = (unit.checked_div(units)?, unit.checked_rem(units)?);
            let (row, rows) = tiles(tile, 1, task.batch.rows().len(), TILE_ROWS)?;
            for row in row..row + rows {
                let start = row * places.query_width;
                let key = start + shape.key_column() + head as usize * keys;
                let value = start + shape.value_column() + head as usize * values;
                // SAFETY: Queries, keys and values of these heads of the row are ours in this stage,
                // and they are apart.
                let heads = unsafe {
                    Heads {
                        row,
                        first: head * kv_heads,
                        queries: self.write(
                            places.query,
                            start + head as usize * queries,
                            queries,
                        )?,
                        keys: self.write(places.query, key, keys)?,
                        values: match values {
                            0 => &mut [],
                            values => self.write(places.query, value, values)?,
                        },
                    }
                };
                heads::run(task, layer, heads, room, &mut cache)?;
            }
        }
        Some(())
    }

    /// Stores the keys and values that wait for it, of `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The stage that stores those of `layer` runs, and these units are the caller's.
    #[inline(never)]
    pub(super) unsafe fn store(
        &self,
        task: &Task<'_>,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (shape, places) = (task.shape(layer)?, self.places);
        let (size, columns) = (shape.head_size as usize, waiting(task, layer)?);
        // SAFETY: Nobody writes the rows in this stage, and the cells of these heads at the rows' positions are ours.
        let (mut cache, values) = unsafe {
            let cache = Store::new(task.batch.rows(), shape.kv_layout(), task.model.level);
            (cache, self.read::<f32>(places.query))
        };
        for unit in first..first.checked_add(count)? {
            let tile = unit.checked_div(shape.kv_heads)?;
            let head = unit.checked_rem(shape.kv_heads)?;
            let (row, rows) = tiles(tile, 1, task.batch.rows().len(), TILE_ROWS)?;
            for row in row..row + rows {
                for (value, column) in [false, true].into_iter().zip(columns) {
                    let Some(column) = column else {
                        continue;
                    };
                    let first = row * places.query_width + column + head as usize * size;
                    let cell = Cell {
                        value,
                        head,
                        dimension: 0,
                    };
                    cache.put_head(row, cell, values.get(first..)?.get(..size)?)?;
                }
            }
        }
        Some(())
    }

    /// Attends for `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The attention stage of `layer` runs, and these units are the caller's.
    #[inline(never)]
    pub(super) unsafe fn attend(
        &self,
        task: &Task<'a>,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let shape = task.shape(layer)?;
        for index in first..first.checked_add(count)? {
            let unit = Unit::new(task, shape, index)?;
            let row = unit.tile.checked_mul(TILE_ROWS)?;
            // SAFETY: This stage runs, and the unit is ours; its rows are different ones.
            let mut attendants = core::array::from_fn(|tile| unsafe {
                self.attendant(task, layer, shape, unit, row + tile)
            });
            segment::run(task, unit, shape, &mut attendants)?;
        }
        Some(())
    }

    /// What row `row` brings to `unit`; `None` past the last row.
    ///
    /// # Safety
    ///
    /// The attention stage runs, and the unit is the caller's.
    unsafe fn attendant(
        &self,
        task: &Task<'a>,
        layer: u32,
        own: &LayerShape,
        unit: Unit,
        row: usize,
    ) -> Option<Attendant<'a>> {
        let row_of = task.batch.rows().get(row)?;
        let shape = &task.model.shape;
        let group = own.group() as usize;
        let size = group * partial_values(own.head_size as usize);
        let columns = group * own.query_stride as usize;
        let first = row * self.places.query_width + unit.head as usize * columns;
        // SAFETY: The queries and the cache are only read in this stage, and the tables of a
        // prepared step are valid up to the rows' positions; these partial results are ours.
        unsafe {
            let queries: &[f32] = self.read(self.places.query);
            Some(Attendant {
                last: shape
                    .window
                    .last(layer, row_of.position as usize, row_of.last as usize),
                position: row_of.position as usize,
                first: shape.window.first(layer, row_of.position as usize),
                queries: queries.get(first..)?.get(..columns)?,
                blocks: Blocks::new(row_of, own.kv_layout())?,
                partials: self.write(
                    self.places.partial,
                    unit.partials(task, own, row) * size,
                    size,
                )?,
            })
        }
    }
}
