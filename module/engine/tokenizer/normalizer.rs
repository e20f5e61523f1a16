// SPDX-License-Identifier: GPL-2.0
//! What WordPiece makes of a character before it looks for words (Devlin et al., 2019).
//!
//! As llama.cpp does it: of a canonical decomposition only the first character is kept, which takes
//! accents away, and of a syllable of Hangul leaves its first part.

use super::normalizer_table::{BASES, CONTROLS, LOWER};
use super::unicode::{self, Category, Character};

/// Most bytes that a character of `n` bytes becomes, by `n`: two become three where a lower case is
/// longer.
pub(super) const GROWTH: usize = 2;

/// Which changes are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Normalizer {
    /// Letters become small.
    pub(super) lowercase: bool,
    /// Accents go.
    pub(super) strips_accents: bool,
}

/// What a character is for words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It ends a word.
    Space,
    /// It is passed over.
    Nothing,
    /// It is a word by itself.
    Alone(char),
    /// It belongs to a word.
    Letter(char),
}

impl Normalizer {
    /// As a number of two bits.
    pub(super) fn number(self) -> u32 {
        u32::from(self.lowercase) | u32::from(self.strips_accents) << 1
    }

    /// That of this number.
    pub(super) fn from_number(number: u32) -> Self {
        Self {
            lowercase: number & 1 != 0,
            strips_accents: number & 2 != 0,
        }
    }

    /// The character at the front of `text`, and its length in bytes; `None` at its end.
    pub(super) fn next(self, text: &[u8]) -> Option<(Part, usize)> {
        let Character { code, length, .. } = unicode::next(text)?;
        // Bytes that are not UTF-8 are passed over.
        let part = code.map_or(Part::Nothing, |code| self.part(code));
        Some((part, length))
    }

    fn part(self, code: u32) -> Part {
        let code = if self.strips_accents {
            base(code)
        } else {
            code
        };
        let category = unicode::category(code);
        if category == Category::Space {
            return Part::Space;
        }
        if code == 0xfffd || is_control(code) {
            return Part::Nothing;
        }
        let written = if self.lowercase { lower(code) } else { code };
        let Some(written) = char::from_u32(written) else {
            return Part::Nothing;
        };
        let alone = category == Category::Punctuation
            || category == Category::Symbol && code < 0x7f
            || is_ideograph(code);
        if alone {
            Part::Alone(written)
        } else {
            Part::Letter(written)
        }
    }
}

/// The first character of the canonical decomposition.
fn base(code: u32) -> u32 {
    if let 0xac00..0xd7a4 = code {
        return 0x1100 + (code - 0xac00) / 588;
    }
    let after = BASES.partition_point(|&(first, _)| first <= code);
    match after.checked_sub(1).and_then(|at| BASES.get(at)) {
        Some(&(_, base)) if base != 0 => base,
        _ => code,
    }
}

/// The small letter.
fn lower(code: u32) -> u32 {
    let after = LOWER.partition_point(|&(first, ..)| first <= code);
    match after.checked_sub(1).and_then(|at| LOWER.get(at)) {
        Some(&(first, last, step, added))
            if code <= last && (code - first).checked_rem(step) == Some(0) =>
        {
            code.wrapping_add_signed(added)
        }
        _ => code,
    }
}

fn is_control(code: u32) -> bool {
    let after = CONTROLS.partition_point(|&(first, _)| first <= code);
    let run = after.checked_sub(1).and_then(|at| CONTROLS.get(at));
    run.is_some_and(|&(_, last)| code <= last)
}

/// Whether `code` is what BERT calls a Chinese character; the sixth block begins where it does in
/// the tokenizers that files were made with.
fn is_ideograph(code: u32) -> bool {
    matches!(
        code,
        0x4e00..=0x9fff
            | 0x3400..=0x4dbf
            | 0x2_0000..=0x2_a6df
            | 0x2_a700..=0x2_b73f
            | 0x2_b740..=0x2_b81f
            | 0x2_b920..=0x2_ceaf
            | 0xf900..=0xfaff
            | 0x2_f800..=0x2_fa1f
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Normalizer = Normalizer {
        lowercase: true,
        strips_accents: true,
    };

    #[test]
    fn characters_are_letters_words_or_nothing() {
        for (text, expected) in [
            ("A", Part::Letter('a')),
            ("é", Part::Letter('e')),
            ("Å", Part::Letter('a')),
            ("ẞ", Part::Letter('ß')),
            ("Я", Part::Letter('я')),
            ("İ", Part::Letter('i')),
            ("각", Part::Letter('ᄀ')),
            ("힣", Part::Letter('ᄒ')),
            ("\u{301}", Part::Letter('\u{301}')),
            ("€", Part::Letter('€')),
            ("7", Part::Letter('7')),
            ("你", Part::Alone('你')),
            ("。", Part::Alone('。')),
            ("$", Part::Alone('$')),
            ("-", Part::Alone('-')),
            ("\t", Part::Space),
            ("\u{3000}", Part::Space),
            ("\u{0}", Part::Nothing),
            ("\u{ad}", Part::Nothing),
            ("\u{fffd}", Part::Nothing),
            ("\u{378}", Part::Letter('\u{378}')),
        ] {
            assert_eq!(USUAL.next(text.as_bytes()), Some((expected, text.len())));
        }
        assert_eq!(USUAL.next(b"\xffa"), Some((Part::Nothing, 1)));
        assert_eq!(USUAL.next(b""), None);
    }

    #[test]
    fn each_change_is_made_where_it_is_wanted() {
        for number in 0..4 {
            let normalizer = Normalizer::from_number(number);
            assert_eq!(normalizer.number(), number);
            let expected = ['É', 'é', 'E', 'e'][number as usize];
            let part = normalizer.next("É".as_bytes()).expect("a character").0;
            assert_eq!(part, Part::Letter(expected));
        }
    }

    #[test]
    fn the_tables_agree_with_core_and_bound_the_growth() {
        for character in (0..0x11_0000).filter_map(char::from_u32) {
            let code = u32::from(character);
            let small = character.to_lowercase().next().map(u32::from);
            // Core's tables are newer, and have a few more.
            if lower(code) != code || code < 0x500 {
                assert_eq!(Some(lower(code)), small, "{character:?}");
            }
            let written = char::from_u32(lower(base(code))).expect("a character");
            assert!(written.len_utf8() <= GROWTH * character.len_utf8());
        }
    }
}
