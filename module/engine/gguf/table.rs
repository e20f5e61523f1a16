// SPDX-License-Identifier: GPL-2.0
//! The table of tensors in memory handed in: infos, file order, and sets of names and keys.

use super::cells::{self, Cell, cells_mut};
use super::hash::{hash, probes, slots};
use super::keys::Keys;
use super::{Cursor, Reason, Refusal, Span, TensorInfo};

/// Bytes of each part of the table.
#[derive(Clone, Copy, Debug)]
struct Parts {
    infos: u64,
    order: u64,
    names: u64,
    keys: u64,
    key_starts: u64,
}

impl Parts {
    fn new(keys: u32, tensors: u32) -> Self {
        Self {
            infos: u64::from(tensors) << 6,
            order: u64::from(tensors) << 2,
            names: slots(tensors) << 2,
            keys: slots(keys) << 2,
            key_starts: (u64::from(keys) + 1) << 2,
        }
    }
}

/// Bytes of the table of a file with so many metadata keys and tensors, within the parser's caps.
pub(crate) fn table_bytes(keys: u32, tensors: u32) -> u64 {
    let parts = Parts::new(keys, tensors);
    parts.infos + parts.order + parts.names + parts.keys + parts.key_starts
}

/// The table while it is made.
pub(crate) struct TableMut<'a> {
    /// Entries of [`TensorInfo`], in the header's order.
    pub(crate) infos: &'a mut [[u8; TensorInfo::BYTES]],
    /// Indices of `infos`.
    pub(crate) order: &'a mut [Cell],
    names: &'a mut [Cell],
    keys: &'a mut [Cell],
    key_starts: &'a mut [Cell],
}

impl<'a> TableMut<'a> {
    /// Cuts the memory; `None` when there are fewer than [`table_bytes`].
    pub(crate) fn new(memory: &'a mut [u8], keys: u32, tensors: u32) -> Option<Self> {
        let parts = Parts::new(keys, tensors);
        let mut rest = memory;
        Some(Self {
            infos: cells::take_mut(&mut rest, parts.infos)?.as_chunks_mut().0,
            order: cells_mut(cells::take_mut(&mut rest, parts.order)?),
            names: cells_mut(cells::take_mut(&mut rest, parts.names)?),
            keys: cells_mut(cells::take_mut(&mut rest, parts.keys)?),
            key_starts: cells_mut(cells::take_mut(&mut rest, parts.key_starts)?),
        })
    }

    /// Remembers key `index`, whose length field is at `offset`; refuses one seen before.
    pub(crate) fn add_key(
        &mut self,
        prefix: &[u8],
        index: u32,
        key: &[u8],
        offset: u32,
    ) -> Result<(), Refusal> {
        let starts = &*self.key_starts;
        let same = |other: u32| {
            let start = cells::get(starts, (other as usize).wrapping_sub(1)).unwrap_or_default();
            Cursor::new(prefix, start as usize, u64::MAX).string() == Ok(key)
        };
        let duplicate = Refusal::new(Reason::Malformed, u64::from(offset), key);
        insert(self.keys, key, index.wrapping_add(1), same, duplicate)?;
        cells::set(self.key_starts, index as usize, offset);
        Ok(())
    }

    /// Remembers the end of the metadata, after the last key.
    pub(crate) fn close_keys(&mut self, end: u32) {
        let last = self.key_starts.len().saturating_sub(1);
        cells::set(self.key_starts, last, end);
    }

    /// The keys, once they are closed; `prefix` is the file from its start.
    pub(crate) fn keys<'b>(&'b self, prefix: &'b [u8]) -> Keys<'b> {
        Keys::new(prefix, self.key_starts, self.keys)
    }

    /// Writes the info of tensor `index`; refuses a name seen before.
    pub(crate) fn add_tensor(
        &mut self,
        prefix: &[u8],
        index: u32,
        info: &TensorInfo,
    ) -> Result<(), Refusal> {
        let name = info.name.of(prefix);
        let infos = &mut *self.infos;
        let same = |number: u32| {
            let entry = infos.get(number.wrapping_sub(1) as usize);
            entry.is_some_and(|entry| TensorInfo::decode(entry).name.of(prefix) == name)
        };
        let duplicate = Refusal::new(Reason::TensorDuplicate, u64::from(index), name);
        insert(self.names, name, index.wrapping_add(1), same, duplicate)?;
        if let Some(entry) = infos.get_mut(index as usize) {
            *entry = info.encode();
        }
        cells::set(self.order, index as usize, index);
        Ok(())
    }

    /// The info of tensor `index`.
    pub(crate) fn info(&self, index: u32) -> Option<TensorInfo> {
        self.infos.get(index as usize).map(TensorInfo::decode)
    }
}

/// Puts `number` (not 0) in the set under `name`, unless one that is the `same` is there.
fn insert(
    set: &mut [Cell],
    name: &[u8],
    number: u32,
    same: impl Fn(u32) -> bool,
    duplicate: Refusal,
) -> Result<(), Refusal> {
    for slot in probes(hash(name, 0), set.len()) {
        match cells::get(set, slot) {
            Some(0) => {
                cells::set(set, slot, number);
                return Ok(());
            }
            Some(other) if same(other) => return Err(duplicate),
            _ => {}
        }
    }
    Err(Refusal::new(
        Reason::Count,
        u64::from(number),
        b"names collide",
    ))
}

/// The keys in a finished table; `None` when `memory` is too short.
pub(crate) fn keys<'a>(
    prefix: &'a [u8],
    memory: &'a [u8],
    keys: u32,
    tensors: u32,
) -> Option<Keys<'a>> {
    let parts = Parts::new(keys, tensors);
    let mut rest = memory;
    let before = parts.infos + parts.order + parts.names;
    cells::take(&mut rest, before)?;
    let slots = cells::cells(cells::take(&mut rest, parts.keys)?);
    let starts = cells::cells(cells::take(&mut rest, parts.key_starts)?);
    Some(Keys::new(prefix, starts, slots))
}

/// The finished table of tensors.
#[derive(Clone, Copy)]
pub struct Tensors<'a> {
    infos: &'a [[u8; TensorInfo::BYTES]],
    order: &'a [Cell],
    names: &'a [Cell],
}

impl<'a> Tensors<'a> {
    pub(crate) fn new(memory: &'a [u8], keys: u32, tensors: u32) -> Option<Self> {
        let parts = Parts::new(keys, tensors);
        let mut rest = memory;
        Some(Self {
            infos: cells::take(&mut rest, parts.infos)?.as_chunks().0,
            order: cells::cells(cells::take(&mut rest, parts.order)?),
            names: cells::cells(cells::take(&mut rest, parts.names)?),
        })
    }

    /// Number of tensors.
    // CAST: Cut for a number of 32 bits.
    #[expect(clippy::cast_possible_truncation)]
    pub fn count(&self) -> u32 {
        self.infos.len() as u32
    }

    /// Tensor `index`, in the header's order.
    pub fn get(&self, index: u32) -> Option<TensorInfo> {
        self.infos.get(index as usize).map(TensorInfo::decode)
    }

    /// Index of the tensor that is `place`-th in the file's data.
    pub fn in_file_order(&self, place: u32) -> Option<u32> {
        cells::get(self.order, place as usize)
    }

    /// Index of the tensor called `name`, `prefix` being the start of the file.
    pub fn find(&self, prefix: &[u8], name: &[u8]) -> Option<u32> {
        for slot in probes(hash(name, 0), self.names.len()) {
            let index = cells::get(self.names, slot)?.checked_sub(1)?;
            if self.name(index).of(prefix) == name {
                return Some(index);
            }
        }
        None
    }

    /// Name of tensor `index`.
    pub fn name(&self, index: u32) -> Span {
        self.get(index).map(|info| info.name).unwrap_or_default()
    }
}
