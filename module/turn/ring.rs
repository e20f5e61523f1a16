// SPDX-License-Identifier: GPL-2.0
//! The ring of text between a turn and its reader.

use crate::sys::memory::{Memory, Owner};
use kernel::prelude::*;

/// A bounded queue of bytes.
pub(crate) struct Ring {
    bytes: Memory,
    start: usize,
    length: usize,
}

impl Ring {
    /// Of `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Result<Self> {
        Ok(Self {
            bytes: Memory::new(capacity, Owner::Session)?,
            start: 0,
            length: 0,
        })
    }

    /// Its memory in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing to read.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Bytes that can be pushed.
    pub(crate) fn free(&self) -> usize {
        self.bytes.len().saturating_sub(self.length)
    }

    /// Where byte `offset` from the start lies.
    fn place(&self, offset: usize) -> usize {
        let place = self.start.saturating_add(offset);
        place.checked_sub(self.bytes.len()).unwrap_or(place)
    }

    /// Appends `text`; what does not fit is not taken. How many bytes were.
    pub(crate) fn push(&mut self, text: &[u8]) -> usize {
        let mut taken = 0;
        while let Some(rest) = text.get(taken..).filter(|rest| !rest.is_empty()) {
            let place = self.place(self.length);
            let run = rest
                .len()
                .min(self.free())
                .min(self.bytes.len().saturating_sub(place));
            let (Some(to), Some(from)) = (
                self.bytes.get_mut(place..place.saturating_add(run)),
                rest.get(..run).filter(|from| !from.is_empty()),
            ) else {
                break;
            };
            to.copy_from_slice(from);
            self.length = self.length.saturating_add(run);
            taken = taken.saturating_add(run);
        }
        taken
    }

    /// Copies the first bytes to `text` without taking them; how many.
    pub(crate) fn peek(&self, text: &mut [u8]) -> usize {
        let mut copied = 0;
        while copied < self.length.min(text.len()) {
            let place = self.place(copied);
            let run = self
                .length
                .min(text.len())
                .saturating_sub(copied)
                .min(self.bytes.len().saturating_sub(place));
            let (Some(to), Some(from)) = (
                text.get_mut(copied..copied.saturating_add(run)),
                self.bytes
                    .get(place..place.saturating_add(run))
                    .filter(|from| !from.is_empty()),
            ) else {
                break;
            };
            to.copy_from_slice(from);
            copied = copied.saturating_add(run);
        }
        copied
    }

    /// Takes `count` bytes away.
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.length);
        self.start = self.place(count);
        self.length = self.length.saturating_sub(count);
    }

    /// Empties it.
    pub(crate) fn clear(&mut self) {
        self.start = 0;
        self.length = 0;
    }
}

#[kunit_tests(sislm_ring)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_out_in_order_around_the_end() -> Result {
        let mut ring = Ring::new(7)?;
        let mut out = [0u8; 16];
        for round in 0u8..20 {
            let text = [round, round.wrapping_add(1), round.wrapping_add(2)];
            assert_eq!(ring.push(&text), 3);
            assert_eq!(ring.push(b"xy"), 2);
            assert_eq!(ring.peek(&mut out), 5);
            assert_eq!(out.get(..3), Some(&text[..]));
            assert_eq!(out.get(3..5), Some(&b"xy"[..]));
            ring.consume(5);
            assert!(ring.is_empty());
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_not_taken() -> Result {
        let mut ring = Ring::new(4)?;
        assert_eq!(ring.push(b"abcdef"), 4);
        assert_eq!(ring.free(), 0);
        assert_eq!(ring.push(b"g"), 0);
        let mut out = [0u8; 2];
        assert_eq!(ring.peek(&mut out), 2);
        assert_eq!(&out, b"ab");
        ring.consume(1);
        assert_eq!(ring.free(), 1);
        ring.clear();
        assert_eq!(ring.free(), 4);
        Ok(())
    }
}
