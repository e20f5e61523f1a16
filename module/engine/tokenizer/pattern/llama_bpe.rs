// SPDX-License-Identifier: GPL-2.0
//! Llama 3: words with one character before them, numbers in threes, lines with what ends them.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
//! | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;

pub(super) const WORDS: Split = &[
    ANY_CONTRACTION,
    LED_LETTERS,
    NUMBERS,
    SIGNS_AND_LINE,
    LINES,
    SPACES_BEFORE,
    SPACES,
];
pub(super) const PATTERN: Pattern = &[WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("llama-bpe", "Hello, WE'LL pay $12345.67!\n\n"),
            [
                "Hello", ",", " WE", "'LL", " pay", " $", "123", "45", ".", "67", "!\n\n"
            ]
        );
        assert_eq!(
            pieces("llama-bpe", "\tx  \n  y   z  "),
            ["\tx", "  \n", " ", " y", "  ", " z", "  "]
        );
        assert_eq!(pieces("llama-bpe", "(a\r\n\r\nb"), ["(a", "\r\n\r\n", "b"]);
        assert_eq!(pieces("llama-bpe", "e\u{301}x"), ["e", "\u{301}x"]);
    }
}
