// SPDX-License-Identifier: GPL-2.0
//! What patterns are made of: alternatives, each a sequence of items.

use super::super::unicode::Character;
use super::class::{
    BLANK, Class, DIGIT, LEADING, LETTER, LINE_END, LINE_END_OR_SLASH, MARK, NO_SPACE, NUMBER,
    SIGNS, SPACE, within,
};

/// Most items of an alternative.
pub(in super::super) const ITEMS_MAX: usize = 4;

/// One item of an alternative.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Item {
    /// Characters of a class, as many as there are and what follows leaves: `[...]{least,most}`.
    Run { class: Class, least: u32, most: u32 },
    /// One of some texts, the first that is there.
    Text {
        texts: &'static [&'static str],
        /// Whether ASCII letters of both cases are the same.
        fold_case: bool,
        optional: bool,
    },
    /// Words with single spaces between them: `\p{L}\p{M}*(?: ?\p{L}\p{M}*)*`.
    Phrase,
}

/// A sequence of items, tried at one place.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Alternative {
    pub(in super::super) items: &'static [Item],
    /// What may not come next: `(?![...])`.
    pub(in super::super) not_followed_by: Option<Class>,
    /// Whether the match is cut in threes from its end: `[...]{1,3}(?=(?:[...]{3})*(?![...]))`.
    pub(in super::super) threes: bool,
    /// Whether unmatched text before the match is of the same part.
    pub(in super::super) text_before: bool,
    /// Whether the text is left joined to what no alternative matches.
    pub(in super::super) joined: bool,
}

/// Splits a text in the matches of its alternatives, the first that matches, and what is between.
pub(in super::super) type Split = &'static [Alternative];

/// The endings of English contractions.
const CONTRACTIONS: &[&str] = &["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];

/// `[...]+`.
pub(super) const fn some(class: Class) -> Item {
    repeated(class, 1, u32::MAX)
}

/// `[...]*`.
pub(super) const fn any(class: Class) -> Item {
    repeated(class, 0, u32::MAX)
}

/// `[...]?`.
pub(super) const fn optional(class: Class) -> Item {
    repeated(class, 0, 1)
}

/// `[...]`.
pub(super) const fn one(class: Class) -> Item {
    repeated(class, 1, 1)
}

/// `[...]{least,most}`.
pub(super) const fn repeated(class: Class, least: u32, most: u32) -> Item {
    Item::Run { class, least, most }
}

/// A contraction's ending.
pub(super) const fn contraction(fold_case: bool, optional: bool) -> Item {
    Item::Text {
        texts: CONTRACTIONS,
        fold_case,
        optional,
    }
}

/// One of some texts.
pub(super) const fn text(texts: &'static [&'static str]) -> Item {
    Item::Text {
        texts,
        fold_case: false,
        optional: false,
    }
}

impl Alternative {
    pub(super) const fn new(items: &'static [Item]) -> Self {
        Self {
            items,
            not_followed_by: None,
            threes: false,
            text_before: false,
            joined: false,
        }
    }

    /// This, if no character of a class follows.
    pub(super) const fn unless_before(self, class: Class) -> Self {
        Self {
            not_followed_by: Some(class),
            ..self
        }
    }

    /// This, cut in threes from its end.
    pub(super) const fn in_threes(self) -> Self {
        Self {
            threes: true,
            ..self
        }
    }

    /// This, together with unmatched text before it.
    pub(super) const fn with_text_before(self) -> Self {
        Self {
            text_before: true,
            ..self
        }
    }

    /// This, left joined to what no alternative matches.
    pub(super) const fn joined(self) -> Self {
        Self {
            joined: true,
            ..self
        }
    }

    /// Whether what comes from item `item` on may begin with this character. A text never does:
    /// no pattern has one behind a run that holds its first character.
    pub(in super::super) fn may_go_on(&self, item: usize, character: Character) -> bool {
        for item in self.items.iter().skip(item) {
            match item {
                Item::Run { class, least, .. } => {
                    if class.contains(character) {
                        return true;
                    }
                    if *least > 0 {
                        return false;
                    }
                }
                _ => return false,
            }
        }
        let barred = self.not_followed_by;
        barred.is_some_and(|class| !class.contains(character))
    }
}

/// `'s|'t|'re|'ve|'m|'ll|'d`.
pub(super) const CONTRACTION: Alternative = Alternative::new(&[contraction(false, false)]);
/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`.
pub(super) const ANY_CONTRACTION: Alternative = Alternative::new(&[contraction(true, false)]);
/// ` ?\p{L}+`.
pub(super) const SPACED_LETTERS: Alternative = Alternative::new(&[optional(BLANK), some(LETTER)]);
/// ` ?\p{N}+`.
pub(super) const SPACED_NUMBERS: Alternative = Alternative::new(&[optional(BLANK), some(NUMBER)]);
/// ` ?[^\s\p{L}\p{N}]+`.
pub(super) const SPACED_SIGNS: Alternative = Alternative::new(&[optional(BLANK), some(SIGNS)]);
/// `[^\r\n\p{L}\p{N}]?\p{L}+`.
pub(super) const LED_LETTERS: Alternative = Alternative::new(&[optional(LEADING), some(LETTER)]);
/// `\p{N}`.
pub(super) const ONE_NUMBER: Alternative = Alternative::new(&[one(NUMBER)]);
/// `\p{N}{1,3}`.
pub(super) const NUMBERS: Alternative = Alternative::new(&[repeated(NUMBER, 1, 3)]);
/// `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`.
pub(super) const MARKED_WORD: Alternative = Alternative::new(&[
    optional(LEADING),
    some(LETTER.or(MARK)),
    contraction(true, true),
]);
/// `[0-9][0-9][0-9]`.
pub(super) const THREE_DIGITS: Alternative = Alternative::new(&[repeated(within(DIGIT), 3, 3)]);
/// ` ?[^\s\p{L}\p{N}]+[\r\n/]*`.
pub(super) const SIGNS_AND_SLASH: Alternative =
    Alternative::new(&[optional(BLANK), some(SIGNS), any(LINE_END_OR_SLASH)]);
/// ` ?[^\s\p{L}\p{N}]+[\r\n]*`.
pub(super) const SIGNS_AND_LINE: Alternative =
    Alternative::new(&[optional(BLANK), some(SIGNS), any(LINE_END)]);
/// `\s*[\r\n]+`.
pub(super) const LINES: Alternative = Alternative::new(&[any(SPACE), some(LINE_END)]);
/// `\s*[\r\n]`.
pub(super) const LINE: Alternative = Alternative::new(&[any(SPACE), one(LINE_END)]);
/// `\s+(?!\S)`: the last space before a word stays out, unless it is all.
pub(super) const SPACES_BEFORE: Alternative =
    Alternative::new(&[some(SPACE)]).unless_before(NO_SPACE);
/// `\s+`.
pub(super) const SPACES: Alternative = Alternative::new(&[some(SPACE)]);
