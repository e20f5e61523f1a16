// SPDX-License-Identifier: GPL-2.0
//! Pieces of the header by their place in the file.

use super::Kind;

/// A piece of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset from the start of the file.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

impl Span {
    /// The piece of so many bytes from byte `offset` on, within the longest header.
    // CAST: At most HEADER_BYTES_MAX.
    #[expect(clippy::cast_possible_truncation)]
    pub(super) fn new(offset: usize, length: u64) -> Self {
        Self {
            offset: offset as u32,
            length: length as u32,
        }
    }

    /// The piece's bytes, `prefix` being the start of the file; empty when they are not in it.
    pub fn of(self, prefix: &[u8]) -> &[u8] {
        let rest = prefix.get(self.offset as usize..).unwrap_or_default();
        rest.get(..self.length as usize).unwrap_or_default()
    }
}

/// An array in the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Array {
    /// Type of the elements, never an array.
    pub kind: Kind,
    /// Number of elements.
    pub count: u32,
    /// Offset of the first element from the start of the file.
    pub offset: u32,
    /// Bytes of all elements; of strings: with the length before each.
    pub bytes: u32,
}

impl Array {
    /// The elements' bytes, `prefix` being the start of the file; empty when they are not in it.
    pub fn of(self, prefix: &[u8]) -> &[u8] {
        Span {
            offset: self.offset,
            length: self.bytes,
        }
        .of(prefix)
    }
}
