// SPDX-License-Identifier: GPL-2.0
//! EXAONE MoE: words with the single spaces between them.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}
//! | ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;
use super::class::{BLANK, LEADING, LINE_END_OR_SLASH, SIGNS};

pub(super) const PATTERN: Pattern = &[&[
    ANY_CONTRACTION,
    Alternative::new(&[optional(LEADING), Item::Phrase]),
    ONE_NUMBER,
    Alternative::new(&[optional(BLANK), some(SIGNS), optional(LINE_END_OR_SLASH)]),
    LINE,
    SPACES_BEFORE,
    SPACES,
]];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("exaone-moe", "(the big e\u{301}t a  b 1"),
            ["(the big e\u{301}t a", " ", " b", " ", "1"]
        );
        assert_eq!(pieces("exaone-moe", "a.\n\n"), ["a", ".\n", "\n"]);
        assert_eq!(pieces("exaone-moe", "ab \u{301}"), ["ab", " \u{301}"]);
    }
}
