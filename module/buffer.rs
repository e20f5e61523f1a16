// SPDX-License-Identifier: GPL-2.0
//! A growing buffer of user text, wiped when it is freed.

use crate::sys::memory::{Memory, Owner};
use kernel::prelude::*;

/// Least bytes taken at once.
const LEAST: usize = 4096;

/// Bytes that a user wrote.
pub(crate) struct Buffer {
    memory: Option<Memory>,
    length: usize,
}

impl Buffer {
    /// Empty, without memory.
    pub(crate) const fn new() -> Self {
        Self {
            memory: None,
            length: 0,
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        let memory = self.memory.as_deref().unwrap_or(&[]);
        memory.get(..self.length).unwrap_or(&[])
    }

    /// Memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.as_ref().map_or(0, Memory::len)
    }

    /// Room for `count` more bytes.
    pub(crate) fn spare(&mut self, count: usize) -> Result<&mut [u8]> {
        let end = self.length.checked_add(count).ok_or(ENOMEM)?;
        if self.memory.is_none() || end > self.capacity() {
            let size = end.max(LEAST).checked_next_power_of_two().ok_or(ENOMEM)?;
            let mut memory = Memory::new(size, Owner::Session)?;
            if let Some(to) = memory.get_mut(..self.length) {
                to.copy_from_slice(self.bytes());
            }
            self.memory = Some(memory);
        }
        let memory = self.memory.as_deref_mut().ok_or(ENOMEM)?;
        memory.get_mut(self.length..end).ok_or(ENOMEM)
    }

    /// Keeps `count` bytes of the room given last.
    pub(crate) fn extend(&mut self, count: usize) {
        self.length = self.length.saturating_add(count).min(self.capacity());
    }

    /// Appends the bytes of `other`.
    pub(crate) fn append(&mut self, other: Self) -> Result {
        if self.length == 0 {
            *self = other;
            return Ok(());
        }
        let count = other.length;
        self.spare(count)?.copy_from_slice(other.bytes());
        self.extend(count);
        Ok(())
    }
}
