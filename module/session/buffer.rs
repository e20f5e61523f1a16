// SPDX-License-Identifier: GPL-2.0
//! A buffer of user text, wiped when it is freed.

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

    /// Empty, with memory for `count` bytes, charged to the caller.
    pub(crate) fn with_capacity(count: usize) -> Result<Self> {
        if count == 0 {
            return Ok(Self::new());
        }
        let size = count.max(LEAST).checked_next_power_of_two();
        let memory = Memory::new(size.ok_or(ENOMEM)?, Owner::Session)?;
        Ok(Self {
            memory: Some(memory),
            length: 0,
        })
    }

    /// Room for `count` more bytes. Never allocates: `ENOSPC` without room.
    pub(crate) fn spare(&mut self, count: usize) -> Result<&mut [u8]> {
        let end = self.length.checked_add(count).ok_or(ENOSPC)?;
        let memory = self.memory.as_deref_mut().unwrap_or(&mut []);
        memory.get_mut(self.length..end).ok_or(ENOSPC)
    }

    /// Keeps `count` bytes of the room given last.
    pub(crate) fn extend(&mut self, count: usize) {
        self.length = self.length.saturating_add(count).min(self.capacity());
    }

    /// Appends `text`. Never allocates: `ENOSPC`, and nothing is taken, without room.
    pub(crate) fn append(&mut self, text: &[u8]) -> Result {
        self.spare(text.len())?.copy_from_slice(text);
        self.extend(text.len());
        Ok(())
    }
}
