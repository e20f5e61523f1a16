// SPDX-License-Identifier: GPL-2.0
//! Sets of characters, as patterns name them.

use super::super::unicode::{Category, Character};

/// A range of code points, both ends included.
pub(super) type Range = (char, char);

/// A set of characters: of some categories and in some ranges, but not in others.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Class {
    /// A bit for each [`Category`].
    categories: u8,
    ranges: &'static [Range],
    excluded: &'static [Range],
}

/// `\r`, `\n`.
pub(super) const LINE_ENDS: &[Range] = &[('\r', '\r'), ('\n', '\n')];
/// `[0-9]`, which `\d` is in llama.cpp.
pub(super) const DIGIT: &[Range] = &[('0', '9')];
/// `[0-9A-Za-z_]`, which `\w` is in llama.cpp.
pub(super) const WORD: &[Range] = &[('0', '9'), ('A', 'Z'), ('a', 'z'), ('_', '_')];
/// Punctuation and symbols of ASCII.
pub(super) const ASCII_SIGNS: &[Range] = &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')];
/// `[\u4E00-\u9FA5\u3040-\u30FF]`.
pub(super) const CHINESE_OR_JAPANESE: &[Range] =
    &[('\u{4e00}', '\u{9fa5}'), ('\u{3040}', '\u{30ff}')];
/// All categories.
const ALL: u8 = 0x7f;

/// Every character.
pub(super) const ANY: Class = with_categories(ALL);
/// `\p{L}`.
pub(super) const LETTER: Class = of(Category::Letter);
/// `\p{N}`.
pub(super) const NUMBER: Class = of(Category::Number);
/// `\p{M}`.
pub(super) const MARK: Class = of(Category::Mark);
/// `\p{P}`.
pub(super) const PUNCTUATION: Class = of(Category::Punctuation);
/// `\p{S}`.
pub(super) const SYMBOL: Class = of(Category::Symbol);
/// `\s`.
pub(super) const SPACE: Class = of(Category::Space);
/// `\S`.
pub(super) const NO_SPACE: Class = ANY.but(SPACE);
/// `[\r\n]`.
pub(super) const LINE_END: Class = within(LINE_ENDS);
/// `[\r\n/]`.
pub(super) const LINE_END_OR_SLASH: Class = within(&[('\r', '\r'), ('\n', '\n'), ('/', '/')]);
/// A space.
pub(super) const BLANK: Class = within(&[(' ', ' ')]);
/// `[^\s\p{L}\p{N}]`.
pub(super) const SIGNS: Class = NO_SPACE.but(LETTER).but(NUMBER);
/// `[^\r\n\p{L}\p{N}]`.
pub(super) const LEADING: Class = ANY.but(LETTER).but(NUMBER).except(LINE_ENDS);

/// Letters but a to z.
pub(super) const UPPER: Class = LETTER.except(&[('a', 'z')]);
/// Letters but A to Z.
pub(super) const LOWER: Class = LETTER.except(&[('A', 'Z')]);

const fn with_categories(categories: u8) -> Class {
    Class {
        categories,
        ranges: &[],
        excluded: &[],
    }
}

/// The characters of a category.
pub(super) const fn of(category: Category) -> Class {
    with_categories(1 << category as u8)
}

/// The characters of some ranges.
pub(super) const fn within(ranges: &'static [Range]) -> Class {
    with_categories(0).and(ranges)
}

impl Class {
    /// This class and the categories of another.
    pub(super) const fn or(self, other: Self) -> Self {
        Self {
            categories: self.categories | other.categories,
            ..self
        }
    }

    /// This class without the categories of another.
    pub(super) const fn but(self, other: Self) -> Self {
        Self {
            categories: self.categories & !other.categories,
            ..self
        }
    }

    /// This class with these ranges.
    pub(super) const fn and(self, ranges: &'static [Range]) -> Self {
        Self { ranges, ..self }
    }

    /// This class without these ranges.
    pub(super) const fn except(self, excluded: &'static [Range]) -> Self {
        Self { excluded, ..self }
    }

    /// Whether a character is in this class.
    pub(in super::super) fn contains(&self, character: Character) -> bool {
        let is_in = |ranges: &[Range]| {
            let within = |&(first, last): &Range| {
                let code = character.code;
                code.is_some_and(|code| (u32::from(first)..=u32::from(last)).contains(&code))
            };
            ranges.iter().any(within)
        };
        let of_category = self.categories >> character.category as u8 & 1 == 1;
        (of_category || is_in(self.ranges)) && !is_in(self.excluded)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::unicode;
    use super::*;

    fn members(class: Class, text: &str) -> String {
        let mut found = String::new();
        for character in text.chars() {
            let mut bytes = [0; 4];
            let bytes = character.encode_utf8(&mut bytes).as_bytes();
            if class.contains(unicode::next(bytes).expect("a character")) {
                found.push(character);
            }
        }
        found
    }

    #[test]
    fn classes_hold_what_they_name() {
        let text = "aß漢7½ \n\r\u{3000}!~\u{301}\u{0}";
        assert_eq!(members(ANY, text), text);
        assert_eq!(members(LETTER, text), "aß漢");
        assert_eq!(members(NUMBER, text), "7½");
        assert_eq!(members(SPACE, text), " \n\r\u{3000}");
        assert_eq!(members(NO_SPACE, text), "aß漢7½!~\u{301}\u{0}");
        assert_eq!(members(LINE_END, text), "\n\r");
        assert_eq!(members(BLANK, text), " ");
        assert_eq!(members(SIGNS, text), "!~\u{301}\u{0}");
        assert_eq!(members(LEADING, text), " \u{3000}!~\u{301}\u{0}");
        assert_eq!(
            members(LETTER.or(NUMBER).and(&[('!', '!')]), text),
            "aß漢7½!"
        );
        assert_eq!(members(LETTER.except(&[('a', 'z')]), text), "ß漢");
    }

    #[test]
    fn a_byte_that_is_no_character_is_in_no_range() {
        let byte = unicode::next(b"\xff").expect("a byte");
        assert!(SIGNS.contains(byte) && ANY.contains(byte));
        assert!(!within(&[('\0', char::MAX)]).contains(byte));
        assert!(ANY.except(&[('\0', char::MAX)]).contains(byte));
    }
}
