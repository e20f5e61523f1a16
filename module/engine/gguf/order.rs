// SPDX-License-Identifier: GPL-2.0
//! Tensors sorted by their offset in the file: a heap sort that can be interrupted.

use super::cells;
use super::table::TableMut;
use super::{Reason, Refusal};

/// A heap sort in progress. One step costs O(log tensors).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sort {
    /// Nodes from here on are heaps.
    heap: u32,
    /// Entries from here on are in their place.
    sorted: u32,
}

impl Sort {
    pub(crate) fn new(tensors: u32) -> Self {
        Self {
            heap: tensors >> 1,
            sorted: tensors,
        }
    }

    /// Does one step; true when all are sorted.
    pub(crate) fn step(&mut self, table: &mut TableMut<'_>) -> bool {
        if self.heap > 0 {
            self.heap -= 1;
            sift(table, self.heap, self.sorted);
            return false;
        }
        if self.sorted < 2 {
            return true;
        }
        self.sorted -= 1;
        swap(table, 0, self.sorted);
        sift(table, 0, self.sorted);
        false
    }
}

/// What entries are sorted by: the offset, then the index.
fn rank(table: &TableMut<'_>, place: u32) -> (u64, u32) {
    let index = cells::get(table.order, place as usize).unwrap_or_default();
    let offset = table
        .info(index)
        .map(|info| info.offset)
        .unwrap_or_default();
    (offset, index)
}

fn swap(table: &mut TableMut<'_>, a: u32, b: u32) {
    let order = &mut *table.order;
    let pair = (cells::get(order, a as usize), cells::get(order, b as usize));
    if let (Some(first), Some(second)) = pair {
        cells::set(order, a as usize, second);
        cells::set(order, b as usize, first);
    }
}

/// Moves the entry at `node` down until no entry below it, before `end`, is larger.
fn sift(table: &mut TableMut<'_>, mut node: u32, end: u32) {
    loop {
        let left = node.saturating_mul(2).saturating_add(1);
        let right = left.saturating_add(1);
        let mut largest = node;
        if left < end && rank(table, left) > rank(table, largest) {
            largest = left;
        }
        if right < end && rank(table, right) > rank(table, largest) {
            largest = right;
        }
        if largest == node {
            return;
        }
        swap(table, node, largest);
        node = largest;
    }
}

/// The walk over the sorted tensors that gives each its place in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    place: u32,
    /// First byte after the tensors walked over.
    end: u64,
    /// So far there was no gap but padding.
    dense: bool,
}

impl Walk {
    /// Begins at the file's data section.
    pub(crate) fn new(data: u64) -> Self {
        Self {
            place: 0,
            end: data,
            dense: true,
        }
    }

    /// Checks the next tensor's place and makes its offset count from the start of the file; true
    /// when all are done. A file whose tensors follow one another is cut short when the last of
    /// them do not fit; otherwise their offsets are wrong.
    pub(crate) fn step(
        &mut self,
        table: &mut TableMut<'_>,
        layout: Layout,
        prefix: &[u8],
    ) -> Result<bool, Refusal> {
        let Some(index) = cells::get(table.order, self.place as usize) else {
            return Ok(true);
        };
        let Some(mut info) = table.info(index) else {
            return Ok(true);
        };
        let refusal = |reason, detail| Refusal::new(reason, detail, info.name.of(prefix));
        let offset = layout.data.checked_add(info.offset);
        let end = offset.and_then(|offset| offset.checked_add(info.bytes));
        let (Some(offset), Some(end)) = (offset, end) else {
            return Err(refusal(Reason::TensorBounds, info.offset));
        };
        if offset < self.end || offset & (u64::from(layout.alignment) - 1) != 0 {
            return Err(refusal(Reason::TensorBounds, info.offset));
        }
        self.dense &= offset - self.end < u64::from(layout.alignment);
        if end > layout.file_bytes {
            let reason = if self.dense {
                Reason::Truncated
            } else {
                Reason::TensorBounds
            };
            return Err(refusal(reason, end));
        }
        info.offset = offset;
        if let Some(entry) = table.infos.get_mut(index as usize) {
            *entry = info.encode();
        }
        self.end = end;
        self.place += 1;
        Ok(false)
    }
}

/// What places are checked against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// Offset of the data section.
    pub(crate) data: u64,
    /// Alignment of tensors, a power of two.
    pub(crate) alignment: u32,
    /// Bytes of the file.
    pub(crate) file_bytes: u64,
}
