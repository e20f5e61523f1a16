// SPDX-License-Identifier: GPL-2.0
//! Blocks of memory.

use core::ops::{Deref, DerefMut};
use kernel::prelude::*;

/// Whose memory it is.
pub(crate) enum Owner {
    /// The caller's.
    Session,
}

/// Zeroed memory.
pub(crate) struct Memory(Vec<u8>);

impl Memory {
    /// Of `bytes` bytes.
    pub(crate) fn new(bytes: usize, _: Owner) -> Result<Self> {
        Ok(Self(vec![0; bytes]))
    }
}

impl Deref for Memory {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
