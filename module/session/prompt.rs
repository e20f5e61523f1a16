// SPDX-License-Identifier: GPL-2.0
//! A prompt that waits: text, or the ids of tokens.

use crate::{
    session::buffer::Buffer,
    sys::wiped::Wiped, //
};
use kernel::prelude::*;

/// What a user wrote.
pub(crate) enum Prompt {
    /// Text, to be tokenized.
    Text(Buffer),
    /// Ids of the model in use.
    Ids(Wiped<u32>),
}

impl Prompt {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self::Text(Buffer::new())
    }

    /// Its text, to be appended to. `EBUSY`: ids wait.
    pub(crate) fn text(&mut self) -> Result<&mut Buffer> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Ids(_) => Err(EBUSY),
        }
    }

    /// Memory held.
    pub(crate) fn capacity(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Ids(ids) => size_of_val::<[u32]>(ids),
        }
    }
}
