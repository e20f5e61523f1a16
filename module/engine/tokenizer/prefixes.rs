// SPDX-License-Identifier: GPL-2.0
//! A set of the beginnings of tokens, by which a search for the tokens at a place ends early.
//!
//! It may say yes where no would be right, which costs a step, and never the other way round: tokens
//! themselves are looked up.

use crate::gguf::cells::{self, Cell};

/// The beginnings of all tokens: two bits of each, by its hash.
#[derive(Clone, Copy)]
pub(super) struct Prefixes<'a>(pub(super) &'a [Cell]);

/// Cells of a set for tokens of so many bytes: a power of two.
pub(super) fn cells_for(bytes: u32) -> u64 {
    u64::from(bytes.div_ceil(4)).max(1).next_power_of_two()
}

/// A text that grows by bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prefix(u64);

/// What may be of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// It is a token.
    pub(super) is_token: bool,
    /// A token goes on behind it.
    pub(super) goes_on: bool,
}

/// A token.
const TOKEN: u32 = 1;
/// A token goes on.
const MORE: u32 = 2;

impl Prefix {
    /// No byte.
    pub(super) const EMPTY: Self = Self(0x243f_6a88_85a3_08d3);

    /// With a byte more.
    #[must_use]
    pub(super) fn and(self, byte: u8) -> Self {
        let mixed = (self.0 ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self(mixed ^ mixed >> 29)
    }

    /// The cell and the shift of its bits in a set of so many cells.
    // CAST: Halves of a number, of which the cells are at most 2^32.
    #[expect(clippy::cast_possible_truncation)]
    fn place(self, cells: usize) -> (usize, u32) {
        let cell = (self.0 >> 32) as usize & cells.wrapping_sub(1);
        (cell, (self.0 as u32 & 15) << 1)
    }
}

impl Prefixes<'_> {
    /// What may be of a text.
    pub(super) fn of(self, prefix: Prefix) -> Answer {
        let (cell, shift) = prefix.place(self.0.len());
        let bits = cells::get(self.0, cell).unwrap_or_default() >> shift;
        Answer {
            is_token: bits & TOKEN != 0,
            goes_on: bits & MORE != 0,
        }
    }
}

/// Adds a token's text to the set.
pub(super) fn add(set: &mut [Cell], text: &[u8]) {
    let mut prefix = Prefix::EMPTY;
    for (done, &byte) in (1..).zip(text) {
        prefix = prefix.and(byte);
        let (cell, shift) = prefix.place(set.len());
        let mark = if done == text.len() { TOKEN } else { MORE };
        if let Some(bits) = cells::get(set, cell) {
            cells::set(set, cell, bits | mark << shift);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(set: &[Cell], text: &[u8]) -> Answer {
        let prefix = text.iter().fold(Prefix::EMPTY, |all, &byte| all.and(byte));
        Prefixes(set).of(prefix)
    }

    #[test]
    fn every_beginning_is_there_and_few_others_are() {
        let texts: Vec<String> = (0..4000)
            .map(|number| format!("▁{}x", number * 7))
            .collect();
        let bytes: usize = texts.iter().map(String::len).sum();
        let mut set = vec![[0; 4]; cells_for(bytes as u32) as usize];
        for text in &texts {
            add(&mut set, text.as_bytes());
        }
        for text in texts.iter().map(String::as_bytes) {
            assert!(answer(&set, text).is_token);
            assert!((1..text.len()).all(|end| answer(&set, &text[..end]).goes_on));
        }
        let strangers = (0..4000).map(|number| answer(&set, format!("y{number}").as_bytes()));
        let wrong = strangers.filter(|found| found.goes_on || found.is_token);
        assert!(wrong.count() < 1000);
        assert!(!answer(&[], b"a").goes_on);
    }
}
