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
    pub(crate) fn bytes(&mut self, length: u64) -> Result<&'a [u8], Stop> {
        let start = self.at as u64;
        let end = start
            .checked_add(length)
            .filter(|&end| end <= self.file_bytes);
        let Some(end) = end else {
            return Err(Refusal::new(Reason::Truncated, start.saturating_add(length), b"").into());
        };
        if end > HEADER_BYTES_MAX {
            return Err(Refusal::new(Reason::Count, end, b"header").into());
        }
        let rest = self.prefix.get(self.at..).unwrap_or_default();
        // CAST: At most HEADER_BYTES_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let (length, at) = (length as usize, end as usize);
        let (taken, _) = rest.split_at_checked(length).ok_or(Stop::Short(end))?;
        self.at = at;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let taken = self.bytes(N as u64)?;
        taken.first_chunk().copied().ok_or(Stop::Short(0))
    }

    /// The next little-endian 32-bit integer.
    pub(crate) fn u32(&mut self) -> Result<u32, Stop> {
        self.array().map(u32::from_le_bytes)
    }

    /// The next little-endian 64-bit integer.
    pub(crate) fn u64(&mut self) -> Result<u64, Stop> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next string: a 64-bit length, then so many bytes.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], Stop> {
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
        assert_eq!(cursor.u32(), Err(Stop::Short(8)));
        assert_eq!(cursor.at(), 4);
        assert_eq!(
            cursor.bytes(5),
            Err(Refusal::new(Reason::Truncated, 9, b"").into())
        );
        let most = Refusal::new(Reason::Truncated, u64::MAX, b"");
        assert_eq!(cursor.bytes(u64::MAX), Err(most.into()));
        assert_eq!(cursor.bytes(1), Ok(&[9][..]));
    }

    #[test]
    fn a_header_beyond_the_cap_is_refused() {
        let mut cursor = Cursor::new(&[], 0, u64::MAX);
        let refused = Refusal::new(Reason::Count, HEADER_BYTES_MAX + 1, b"header");
        assert_eq!(cursor.bytes(HEADER_BYTES_MAX + 1), Err(refused.into()));
    }
}
