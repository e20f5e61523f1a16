// SPDX-License-Identifier: GPL-2.0
//! Characters and their categories, as far as pre-tokenizers tell them apart.

use super::unicode_table::{ASCII, TRANSITIONS};
use super::utf8;

/// A category of code points: a general category of Unicode, or White_Space, which comes first.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Category {
    /// Any other, and bytes that are not UTF-8.
    Other = 0,
    /// `\p{L}`.
    Letter = 1,
    /// `\p{N}`.
    Number = 2,
    /// `\s`: White_Space.
    Space = 3,
    /// `\p{M}`.
    Mark = 4,
    /// `\p{P}`.
    Punctuation = 5,
    /// `\p{S}`.
    Symbol = 6,
}

impl Category {
    /// The category of this number in the table.
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Letter,
            2 => Self::Number,
            3 => Self::Space,
            4 => Self::Mark,
            5 => Self::Punctuation,
            6 => Self::Symbol,
            _ => Self::Other,
        }
    }
}

/// One character of a text, or one byte that is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Character {
    /// Its code point; `None` of a byte that is not UTF-8.
    pub(super) code: Option<u32>,
    /// Its category.
    pub(super) category: Category,
    /// Its length in bytes, 1 to 4.
    pub(super) length: usize,
}

/// The category of a code point.
pub(super) fn category(code: u32) -> Category {
    if let Some(&number) = ASCII.get(code as usize) {
        return Category::from_number(u32::from(number));
    }
    let after = TRANSITIONS.partition_point(|&entry| entry >> 3 <= code);
    let entry = after.checked_sub(1).and_then(|at| TRANSITIONS.get(at));
    Category::from_number(entry.map_or(0, |entry| entry & 7))
}

/// The character at the front of `text`; `None` at its end.
pub(super) fn next(text: &[u8]) -> Option<Character> {
    text.first()?;
    Some(match utf8::decode(text) {
        Some((code, length)) => Character {
            code: Some(code),
            category: category(code),
            length,
        },
        None => Character {
            code: None,
            category: Category::Other,
            length: 1,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::unicode_table::VERSION;
    use super::*;

    #[test]
    fn the_table_ascends_and_covers_known_characters() {
        assert!(TRANSITIONS.is_sorted_by(|a, b| a >> 3 < b >> 3 && a & 7 != b & 7));
        assert_eq!(VERSION.split('.').count(), 3);
        let spaces = (0..0x11_0000).filter(|&code| category(code) == Category::Space);
        assert_eq!(spaces.count(), 25);
        for (text, expected) in [
            ("a", Category::Letter),
            ("ß", Category::Letter),
            ("я", Category::Letter),
            ("漢", Category::Letter),
            ("ក", Category::Letter),
            ("7", Category::Number),
            ("½", Category::Number),
            ("Ⅷ", Category::Number),
            ("០", Category::Number),
            ("\u{3000}", Category::Space),
            ("\u{a0}", Category::Space),
            ("\r", Category::Space),
            ("\u{301}", Category::Mark),
            ("\u{93e}", Category::Mark),
            ("。", Category::Punctuation),
            ("_", Category::Punctuation),
            ("~", Category::Symbol),
            ("€", Category::Symbol),
            ("🦙", Category::Symbol),
            ("\u{0}", Category::Other),
            ("\u{200b}", Category::Other),
            ("\u{10ffff}", Category::Other),
        ] {
            let character = next(text.as_bytes()).expect("a character");
            assert_eq!(character.category, expected, "{text}");
            assert_eq!(character.length, text.len(), "{text}");
            assert_eq!(character.code, text.chars().next().map(u32::from));
        }
        let byte = next(b"\xff").expect("a byte");
        assert_eq!((byte.code, byte.category), (None, Category::Other));
        assert_eq!(byte.length, 1);
    }

    #[test]
    fn ascii_is_the_front_of_the_table() {
        for (code, &number) in (0..).zip(&ASCII) {
            let after = TRANSITIONS.partition_point(|&entry| entry >> 3 <= code);
            assert_eq!(TRANSITIONS[after - 1] & 7, u32::from(number), "{code:#x}");
        }
    }

    #[test]
    fn letters_agree_with_core() {
        // Core's Alphabetic is L, Nl and some marks; a letter of ours is never anything else.
        let ours = (0..0x11_0000).filter_map(char::from_u32);
        for character in ours.filter(|&character| category(character.into()) == Category::Letter) {
            assert!(character.is_alphabetic(), "{character:?}");
        }
        for character in (0..0x11_0000).filter_map(char::from_u32) {
            let space = category(character.into()) == Category::Space;
            assert_eq!(space, character.is_whitespace(), "{character:?}");
        }
    }
}
