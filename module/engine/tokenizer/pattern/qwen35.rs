// SPDX-License-Identifier: GPL-2.0
//! Qwen3.5: Qwen2's words, with the marks of their letters.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}
//! | ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;
use super::class::{BLANK, LEADING, LETTER, LINE_END, MARK, SIGNS};

pub(super) const PATTERN: Pattern = &[&[
    ANY_CONTRACTION,
    Alternative::new(&[optional(LEADING), some(LETTER.or(MARK))]),
    ONE_NUMBER,
    Alternative::new(&[optional(BLANK), some(SIGNS.but(MARK)), any(LINE_END)]),
    LINES,
    SPACES_BEFORE,
    SPACES,
]];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("qwen35", "e\u{301}x !\u{301}1"),
            ["e\u{301}x", " !", "\u{301}", "1"]
        );
        assert_eq!(pieces("qwen35", "\u{301}"), ["\u{301}"]);
        assert_eq!(pieces("qwen35", "हिन्दी 12"), ["हिन्दी", " ", "1", "2"]);
    }
}
