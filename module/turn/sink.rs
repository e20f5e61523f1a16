// SPDX-License-Identifier: GPL-2.0
//! Where the text of an answer goes.

/// Takes text without a wait.
pub(crate) trait Sink {
    /// Whether text of another token fits.
    fn has_room(&self) -> bool;

    /// Takes text, for which there was room.
    fn give(&self, text: &[u8]);
}
