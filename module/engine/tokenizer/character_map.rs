// SPDX-License-Identifier: GPL-2.0
//! The map by which a Unigram vocabulary changes characters before it looks for pieces: NFKC and
//! spaces, in most files (`precompiled_charsmap`).
//!
//! A double array (Kanda, Morita, Fuketa 2017), as SentencePiece makes it with darts-clone: units of 32 bits,
//! in front of them their bytes, behind them texts that end in a NUL. A unit has the byte that leads
//! to it (bits 0 to 7), whether a text ends here (8), and how far its children are (10 to 30, times 256
//! where bit 9 is set). The unit of a text has bit 31 set and the place of that text.
//!
//! All of it is what a file says: each index is checked, and so is how long a text becomes.

use crate::gguf::cells::{self, Cell, cells};

/// Most bytes of a text that is looked up: the longest characters with their accents have 12.
const TEXT_BYTES_MAX: usize = 128;
/// Most bytes that one byte becomes, a space being three: U+FDFA is 39 of 3.
pub(super) const GROWTH: usize = 13;
/// Most characters that one byte becomes: U+FDFA is 18 of 3.
pub(super) const CHARACTERS: usize = 6;

const VALUE: u32 = 1 << 31;

/// The map.
#[derive(Clone, Copy, Default)]
pub(super) struct CharacterMap<'a> {
    units: &'a [Cell],
    texts: &'a [u8],
}

impl<'a> CharacterMap<'a> {
    /// The map in these bytes, of which there may be none; `None` when its parts do not fit in them.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (size, rest) = bytes.split_first_chunk()?;
        let size = u32::from_le_bytes(*size) as usize;
        let (units, texts) = rest.split_at_checked(size)?;
        // Each text ends before the bytes do.
        let is_sound = size.is_multiple_of(4) && texts.last().is_none_or(|&last| last == 0);
        is_sound.then_some(Self {
            units: cells(units),
            texts,
        })
    }

    /// Number of units.
    pub(super) fn units(self) -> usize {
        self.units.len()
    }

    /// Whether unit `index`, if it is one of a text, has a place among the texts.
    pub(super) fn is_sound(self, index: usize) -> bool {
        let unit = cells::get(self.units, index).unwrap_or_default();
        unit & VALUE == 0 || ((unit & !VALUE) as usize) < self.texts.len()
    }

    /// What the longest known beginning of `text` becomes, and its length; `None` when there is none, or
    /// when it becomes no UTF-8 or too much.
    pub(super) fn replace(self, text: &[u8]) -> Option<(&'a [u8], usize)> {
        let (place, length) = self.longest(text)?;
        let texts = self.texts.get(place..)?;
        let most = GROWTH * length;
        let end = texts.iter().take(most + 1).position(|&byte| byte == 0)?;
        let given = texts.get(..end)?;
        let written = core::str::from_utf8(given).ok()?;
        let spaces = given.iter().filter(|&&byte| byte == b' ').count();
        let fits = end + 2 * spaces <= most && written.chars().count() <= CHARACTERS * length;
        fits.then_some((given, length))
    }

    /// The place of the text for the longest known beginning, and the length of that.
    fn longest(self, text: &[u8]) -> Option<(usize, usize)> {
        let mut at = children(self.unit(0)?);
        let mut found = None;
        for (length, &byte) in (1..=TEXT_BYTES_MAX).zip(text) {
            at ^= u32::from(byte);
            let Some(unit) = self
                .unit(at)
                .filter(|unit| unit & (VALUE | 0xff) == u32::from(byte))
            else {
                break;
            };
            // A unit that nothing leads to has the byte 0.
            if byte == 0 {
                break;
            }
            at ^= children(unit);
            if unit >> 8 & 1 == 1 {
                let place = self.unit(at)? & !VALUE;
                found = Some((place as usize, length));
            }
        }
        found
    }

    fn unit(self, at: u32) -> Option<u32> {
        cells::get(self.units, at as usize)
    }
}

/// How far the children of a unit are from it.
fn children(unit: u32) -> u32 {
    (unit & !VALUE) >> 10 << ((unit & 1 << 9) >> 6)
}

#[cfg(test)]
mod tests {
    use super::super::testing::character_map;
    use super::*;

    #[test]
    fn the_longest_beginning_is_replaced() {
        let bytes = character_map(&[("a", "x"), ("abc", "y y"), ("é", ""), ("éa", "é")]);
        let map = CharacterMap::new(&bytes).expect("a sound map");
        assert!((0..map.units()).all(|unit| map.is_sound(unit)));
        let found = |text: &str| map.replace(text.as_bytes());
        assert_eq!(found("ab"), Some((&b"x"[..], 1)));
        assert_eq!(found("abcd"), Some((&b"y y"[..], 3)));
        assert_eq!(found("éb"), Some((&b""[..], 2)));
        assert_eq!(found("éa"), Some(("é".as_bytes(), 3)));
        for text in ["", "b", "\0", "bca", "\u{e8}"] {
            assert_eq!(found(text), None, "{text:?}");
        }
        assert!(
            CharacterMap::new(&[])
                .expect("no map")
                .replace(b"a")
                .is_none()
        );
    }

    #[test]
    fn what_becomes_too_much_or_no_text_stays() {
        let found = |from: &str, to: &[u8]| {
            let mut bytes = character_map(&[(from, &"x".repeat(to.len()))]);
            let start = bytes.len() - 1 - to.len();
            bytes[start..start + to.len()].copy_from_slice(to);
            let map = CharacterMap::new(&bytes).expect("a sound map");
            map.replace(from.as_bytes()).map(|found| found.1)
        };
        assert_eq!(found("a", b"xxxxxx"), Some(1));
        assert_eq!(found("a", b"xxxxxxx"), None);
        assert_eq!(found("a", "日日日日".as_bytes()), Some(1));
        assert_eq!(found("a", "日日日日日".as_bytes()), None);
        assert_eq!(found("a", b"   x"), Some(1));
        assert_eq!(found("a", b"     "), None);
        assert_eq!(found("a", b"\xff"), None);
        assert_eq!(found(&"a".repeat(129), b"x"), None);
        assert_eq!(found(&"a".repeat(128), b"x"), Some(128));
    }

    #[test]
    fn units_that_lead_in_a_circle_end() {
        // Every unit is the child of the one before it by the byte 1.
        let mut bytes = 16u32.to_le_bytes().to_vec();
        for unit in [1u32 << 10, 1 | 1 << 10, 1, 1 | 1 << 10] {
            bytes.extend(unit.to_le_bytes());
        }
        let map = CharacterMap::new(&bytes).expect("parts that fit");
        assert_eq!(map.replace(&[1; 1000]), None);
    }
}
