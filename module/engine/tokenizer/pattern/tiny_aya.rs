// SPDX-License-Identifier: GPL-2.0
//! Tiny Aya: digits in threes from their right end, then words with their marks and contraction.
//!
//! `\d{1,3}(?=(?:\d{3})*\b)`, then `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+C?|\p{N}{1,3}
//! | ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, C being `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, as
//! llama.cpp has it.

use super::Pattern;
use super::alternative::*;
use super::class::{DIGIT, WORD, within};

/// Digits before a letter stay with the text around them.
const DIGITS: Split = &[
    Alternative::new(&[some(within(DIGIT))])
        .in_threes()
        .unless_before(within(WORD)),
    Alternative::new(&[some(within(DIGIT))]).joined(),
];
const WORDS: Split = &[
    MARKED_WORD,
    NUMBERS,
    SIGNS_AND_SLASH,
    LINES,
    SPACES_BEFORE,
    SPACES,
];
pub(super) const PATTERN: Pattern = &[DIGITS, WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("tiny_aya", "1234567 a  12"),
            ["1", "234", "567", " a", "  ", "12"]
        );
        assert_eq!(
            pieces("tiny_aya", "1234ab 123456,99"),
            ["123", "4", "ab", " ", "123", "456", ",", "99"]
        );
        assert_eq!(pieces("tiny_aya", "e\u{301}'s"), ["e\u{301}'s"]);
    }
}
