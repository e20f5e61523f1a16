// SPDX-License-Identifier: GPL-2.0
//! A cursor over the part of a file that is in memory: it cannot read twice, nor past the end.

use super::{Reason, Refusal};

/// Longest header accepted, in bytes: offsets in it fit 32 bits.
pub(crate) const HEADER_BYTES_MAX: u64 = 1 << 30;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The part in memory is too short: so many bytes from the start of the file are needed.
    Short(u64),
    /// The file is refused.
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why a cursor has no more bytes. Smaller than [`Stop`], which would be copied at each step of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As of [`Stop::Short`].
    Short(u64),
    /// The file ends before this offset.
    Truncated(u64),
    /// The header would reach this offset, beyond [`HEADER_BYTES_MAX`].
    Header(u64),
}

impl From<End> for Stop {
    #[cold]
    fn from(end: End) -> Self {
        let refusal = match end {
            End::Short(need) => return Self::Short(need),
            End::Truncated(offset) => Refusal::new(Reason::Truncated, offset, b""),
            End::Header(offset) => Refusal::new(Reason::Count, offset, b"header"),
        };
        Self::Refused(refusal)
    }
}

/// A position in `prefix`, the first bytes of a file of `file_bytes`.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    prefix: &'a [u8],
    at: usize,
    file_bytes: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor at byte `at`.
    pub(crate) fn new(prefix: &'a [u8], at: usize, file_bytes: u64) -> Self {
        Self {
            prefix,
            at,
            file_bytes,
        }
    }

    /// The offset of the next byte.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: u64) -> Result<&'a [u8], End> {
        let start = self.at as u64;
        let end = start
            .checked_add(length)
            .filter(|&end| end <= self.file_bytes);
        let Some(end) = end else {
            return Err(End::Truncated(start.saturating_add(length)));
        };
        if end > HEADER_BYTES_MAX {
            return Err(End::Header(end));
        }
        let rest = self.prefix.get(self.at..).unwrap_or_default();
        // CAST: At most HEADER_BYTES_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let (length, at) = (length as usize, end as usize);
        let (taken, _) = rest.split_at_checked(length).ok_or(End::Short(end))?;
        self.at = at;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], End> {
        let taken = self.bytes(N as u64)?;
        taken.first_chunk().copied().ok_or(End::Short(0))
    }

    /// The next little-endian 32-bit integer.
    pub(crate) fn u32(&mut self) -> Result<u32, End> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next little-endian 64-bit integer.
    pub(crate) fn u64(&mut self) -> Result<u64, End> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next string: a 64-bit length, then so many bytes.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], End> {
        let length = self.u64()?;
        self.bytes(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_at_the_prefix_and_at_the_file() {
        let mut cursor = Cursor::new(&[1, 0, 0, 0, 9], 0, 8);
        assert_eq!(cursor.u32(), Ok(1));
        assert_eq!(cursor.u32(), Err(End::Short(8)));
        assert_eq!(cursor.at(), 4);
        assert_eq!(cursor.bytes(5), Err(End::Truncated(9)));
        assert_eq!(cursor.bytes(u64::MAX), Err(End::Truncated(u64::MAX)));
        assert_eq!(cursor.bytes(1), Ok(&[9][..]));
    }

    #[test]
    fn a_header_beyond_the_cap_is_refused() {
        let mut cursor = Cursor::new(&[], 0, u64::MAX);
        let most = HEADER_BYTES_MAX + 1;
        assert_eq!(cursor.bytes(most), Err(End::Header(most)));
    }
}
