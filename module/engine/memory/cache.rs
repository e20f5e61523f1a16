// SPDX-License-Identifier: GPL-2.0
//! The keys and values of a step's sequences, reached through the block tables of its rows.

use core::marker::PhantomData;
use core::ops::Range;

use crate::abi::Row;
use crate::memory::kv::BLOCK;
use crate::memory::kv::KvLayout;
use crate::memory::kv::KvType;
use crate::memory::kv::LANES;
use crate::memory::kv::TILE;
use crate::simd::halves;
use crate::simd::level::Level;
use crate::simd::scaled::Scaled;
use crate::simd::scaled::narrow;

/// Values that are rounded together.
const RUN: usize = 64;

/// Read access to the blocks of one row, for the attention of a layer.
#[derive(Clone, Copy)]
pub struct Blocks<'a> {
    // INVARIANT: the row's table has a block for every position up to the row's last; they are
    // initialized, stay for 'a, and nobody writes the layer that is read.
    row: &'a Row,
    layout: KvLayout,
    kv_type: KvType,
}

impl<'a> Blocks<'a> {
    /// The blocks of `row`.
    ///
    /// # Safety
    ///
    /// The table is valid up to the row's last position, and its blocks, which have the places of
    /// `layout`, stay for `'a`; nobody writes to the layer meanwhile.
    pub unsafe fn new(row: &'a Row, layout: KvLayout) -> Option<Blocks<'a>> {
        Some(Blocks {
            row,
            layout,
            kv_type: KvType::new(row.kv_type)?,
        })
    }

    /// Whether both are of one sequence.
    pub fn shares(&self, other: &Blocks<'_>) -> bool {
        core::ptr::eq(self.row.blocks, other.row.blocks)
    }

    /// Type of the values.
    pub fn kv_type(&self) -> KvType {
        self.kv_type
    }

    /// Keys, then values, of one head in the blocks of `range` up to the row's last position.
    #[inline]
    pub fn head(
        &self,
        head: u32,
        range: Range<usize>,
    ) -> Option<impl Iterator<Item = &'a [u8]> + Clone + use<'a>> {
        if head >= self.layout.kv_heads {
            return None;
        }
        let offset = self.layout.head_offset(head, self.kv_type);
        let bytes = self.layout.head_bytes(self.kv_type);
        let blocks = self.row.blocks;
        let end = range.end.min(self.row.last as usize / TILE + 1);
        // SAFETY: The blocks exist and are large enough for the head, by the invariant.
        let bytes = move |block| unsafe {
            let base = *blocks.add(block);
            core::slice::from_raw_parts(base.add(offset).cast_const(), bytes)
        };
        Some((range.start..end).map(bytes))
    }
}

/// `count` values that are kept of `row` from one pass to the next, at byte `offset` of its block.
///
/// # Safety
///
/// The table is valid up to the row's position and its blocks stay for `'a`; they have so many f32
/// there, at a multiple of 4, and nobody else refers to them.
pub unsafe fn kept<'a>(row: &Row, offset: usize, count: usize) -> &'a mut [f32] {
    // SAFETY: Within the block, whose start is aligned; the caller's promise.
    unsafe {
        let base = *row.blocks.add(row.position as usize / TILE);
        core::slice::from_raw_parts_mut(base.add(offset).cast(), count)
    }
}

/// Write access to the values of some dimensions at the positions of a step's rows.
pub struct Store<'a> {
    // INVARIANT: as for `Blocks`; no other task refers to the values this one writes.
    rows: &'a [Row],
    layout: KvLayout,
    level: Level,
    memory: PhantomData<&'a mut [u8]>,
}

/// The place of a value: which of keys and values, of which head, in which dimension.
#[derive(Clone, Copy)]
pub struct Cell {
    /// A value, else a key.
    pub value: bool,
    /// Key and value head.
    pub head: u32,
    /// Dimension in the head.
    pub dimension: u32,
}

impl<'a> Store<'a> {
    /// Stores into the layer of `layout` at the position of each of `rows`, with the instructions of
    /// `level`.
    ///
    /// # Safety
    ///
    /// The tables are valid up to the rows' positions and their blocks, which have the places of
    /// `layout`, stay for `'a`; meanwhile nobody reads the layer or stores to the same cells.
    pub unsafe fn new(rows: &'a [Row], layout: KvLayout, level: Level) -> Store<'a> {
        Store {
            rows,
            layout,
            level,
            memory: PhantomData,
        }
    }

    /// Stores `values`, all dimensions of a key or value, at the position of row `row`, rounded to the type of its
    /// sequence.
    pub fn put_head(&mut self, row: usize, cell: Cell, values: &[f32]) -> Option<()> {
        match KvType::new(self.rows.get(row)?.kv_type)? {
            KvType::Q8_0 => self.put_blocks(row, cell, values),
            KvType::F16 | KvType::F32 => self.put(row, cell, values),
        }
    }

    /// [`Store::put_head`] as scaled integers.
    #[inline(never)]
    fn put_blocks(&mut self, row: usize, cell: Cell, values: &[f32]) -> Option<()> {
        let row = self.rows.get(row)?;
        let (layout, position) = (self.layout, row.position);
        let fits = cell.dimension == 0 && values.len() == layout.head_size as usize;
        if !fits || cell.head >= layout.kv_heads {
            return None;
        }
        let half = layout.half_bytes(KvType::Q8_0);
        let offset = layout.head_offset(cell.head, KvType::Q8_0);
        let offset = offset + if cell.value { half } else { 0 };
        for (block, values) in values.chunks(BLOCK).enumerate() {
            let Scaled { quanta, scale } = narrow(self.level, values);
            let (first, stride, index) = if cell.value {
                let first = layout.row_index(position, block * BLOCK);
                (first, 1, layout.value_scale_index(position, block))
            } else {
                let first = layout.key_index(position, block * BLOCK);
                (first, LANES, layout.key_scale_index(position, block))
            };
            // SAFETY: The block exists and is large enough for the keys or values of the head and for their
            // scales, which are aligned behind them, by the invariant. These are this view's alone, written raw,
            // so no reference overlaps others.
            unsafe {
                let base = (*row.blocks.add(position as usize / TILE)).add(offset);
                let out = base.cast::<i8>().add(first);
                for (place, quantum) in quanta.iter().take(values.len()).enumerate() {
                    out.add(place * stride).write(*quantum);
                }
                let scales = base.add(layout.tile_values()).cast::<u16>();
                scales.add(index).write(scale);
            }
        }
        Some(())
    }

    /// Stores `values`, of consecutive dimensions, at the position of row `row`, rounded to the
    /// type of its sequence; `None` where that has scales.
    #[inline(always)]
    pub fn put(&mut self, row: usize, cell: Cell, values: &[f32]) -> Option<()> {
        let row = self.rows.get(row)?;
        let kv_type = KvType::new(row.kv_type)?;
        let end = (cell.dimension as usize).checked_add(values.len())?;
        if cell.head >= self.layout.kv_heads || end > self.layout.head_size as usize {
            return None;
        }
        let offset = self.layout.head_offset(cell.head, kv_type);
        let dimension = cell.dimension as usize;
        let (first, stride) = if cell.value {
            (self.layout.value_index(row.position, dimension), 1)
        } else {
            (self.layout.key_index(row.position, dimension), LANES)
        };
        // SAFETY: The block exists and is large enough for these cells of the head, by the
        // invariant, and they are this view's alone: values side by side as one slice, keys by raw
        // writes, so no reference overlaps others.
        unsafe {
            let base = (*row.blocks.add(row.position as usize / TILE)).add(offset);
            match kv_type {
                KvType::F16 if cell.value => {
                    let base = base.cast::<u16>().add(first);
                    let out = core::slice::from_raw_parts_mut(base, values.len());
                    halves::narrow(self.level, values, out);
                }
                KvType::F16 => {
                    let base = base.cast::<u16>().add(first);
                    // Rounded in vectors before they are scattered.
                    for (run, values) in values.chunks(RUN).enumerate() {
                        let mut halves = [0; RUN];
                        halves::narrow(self.level, values, &mut halves);
                        let base = base.add(run * RUN * LANES);
                        for (index, half) in halves.iter().take(values.len()).enumerate() {
                            base.add(index * LANES).write(*half);
                        }
                    }
                }
                KvType::Q8_0 => return None,
                KvType::F32 => {
                    let base = base.cast::<f32>().add(first);
                    for (index, value) in values.iter().enumerate() {
                        base.add(index * stride).write(*value);
                    }
                }
            }
        }
        Some(())
    }
}
