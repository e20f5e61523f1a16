// SPDX-License-Identifier: GPL-2.0
//! Classes of code points, as far as pre-tokenizers tell them apart.

use super::unicode_table::TRANSITIONS;
use super::utf8;

/// A class of code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Any other, and bytes that are not UTF-8.
    Other,
    /// `\p{L}`.
    Letter,
    /// `\p{N}`.
    Number,
    /// `\s`: White_Space.
    Space,
}

/// The class of a code point.
fn class(code: u32) -> Class {
    let after = TRANSITIONS.partition_point(|&entry| entry >> 2 <= code);
    match after
        .checked_sub(1)
        .and_then(|at| TRANSITIONS.get(at))
        .map_or(0, |entry| entry & 3)
    {
        1 => Class::Letter,
        2 => Class::Number,
        3 => Class::Space,
        _ => Class::Other,
    }
}

/// Class and length in bytes of the character at the front of `text`; `None` at its end.
pub(super) fn next(text: &[u8]) -> Option<(Class, usize)> {
    text.first()?;
    Some(utf8::decode(text).map_or((Class::Other, 1), |(code, length)| (class(code), length)))
}

#[cfg(test)]
mod tests {
    use super::super::unicode_table::VERSION;
    use super::*;

    #[test]
    fn the_table_ascends_and_covers_known_characters() {
        assert!(TRANSITIONS.is_sorted_by(|a, b| a >> 2 < b >> 2 && a & 3 != b & 3));
        assert_eq!(VERSION.split('.').count(), 3);
        let spaces = (0..0x11_0000)
            .filter(|&code| class(code) == Class::Space)
            .count();
        assert_eq!(spaces, 25);
        for (text, expected) in [
            ("a", Class::Letter),
            ("ß", Class::Letter),
            ("я", Class::Letter),
            ("漢", Class::Letter),
            ("ក", Class::Letter),
            ("7", Class::Number),
            ("½", Class::Number),
            ("Ⅷ", Class::Number),
            ("០", Class::Number),
            ("\u{3000}", Class::Space),
            ("\u{a0}", Class::Space),
            ("\u{200b}", Class::Other),
            ("🦙", Class::Other),
            ("\u{301}", Class::Other),
            ("\u{10ffff}", Class::Other),
        ] {
            assert_eq!(
                next(text.as_bytes()),
                Some((expected, text.len())),
                "{text}"
            );
        }
        assert_eq!(next(b"\xff"), Some((Class::Other, 1)));
    }

    #[test]
    fn letters_agree_with_core() {
        // Core's Alphabetic is L, Nl and some marks; a letter of ours is never anything else.
        let ours = (0..0x11_0000).filter_map(char::from_u32);
        for character in ours.filter(|&character| class(character as u32) == Class::Letter) {
            assert!(character.is_alphabetic(), "{character:?}");
        }
        for character in (0..0x11_0000).filter_map(char::from_u32) {
            let space = class(character as u32) == Class::Space;
            assert_eq!(space, character.is_whitespace(), "{character:?}");
        }
    }
}
