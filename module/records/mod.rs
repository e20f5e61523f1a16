// SPDX-License-Identifier: GPL-2.0
//! Decision records: who had what computed, for those who operate the machine; never any text.
//!
//! The last ones are kept in a ring, whose memory is taken when the module is loaded. Making a record takes no
//! memory, cannot fail and waits for no reader.

pub(crate) mod entry;
pub(crate) mod reader;
pub(crate) mod recorder;
pub(crate) mod who;

use crate::sys::digest::DIGEST_BYTES;

/// Bytes of a digest that a record has of those it does not have whole.
const FIRST_BYTES: usize = 8;

/// The first bytes of a digest.
pub(crate) fn first(digest: &[u8; DIGEST_BYTES]) -> [u8; FIRST_BYTES] {
    digest.first_chunk().copied().unwrap_or_default()
}
