// SPDX-License-Identifier: GPL-2.0
//! DeepSeek V3: numbers in threes, Chinese and Japanese runs, then words with a sign before them.
//!
//! `\p{N}{1,3}`, `[\u4E00-\u9FA5\u3040-\u30FF]+`, then `[!-/:-@\[-\x60{-~][A-Za-z]+
//! |[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`.
//! As in llama.cpp, `~` is no symbol here.

use super::Pattern;
use super::alternative::*;
use super::class::{
    ANY, ASCII_SIGNS, BLANK, CHINESE_OR_JAPANESE, LETTER, LINE_END, LINE_ENDS, MARK, PUNCTUATION,
    Range, SYMBOL, within,
};

const TILDE: &[Range] = &[('~', '~')];
const ASCII_LETTERS: &[Range] = &[('A', 'Z'), ('a', 'z')];

pub(super) const WORDS: Split = &[
    Alternative::new(&[one(within(ASCII_SIGNS)), some(within(ASCII_LETTERS))]),
    Alternative::new(&[
        optional(
            ANY.but(LETTER)
                .but(PUNCTUATION)
                .but(SYMBOL)
                .and(TILDE)
                .except(LINE_ENDS),
        ),
        some(LETTER.or(MARK)),
    ]),
    Alternative::new(&[
        optional(BLANK),
        some(PUNCTUATION.or(SYMBOL).except(TILDE)),
        any(LINE_END),
    ]),
    LINES,
    SPACES_BEFORE,
    SPACES,
];
pub(super) const PATTERN: Pattern = &[
    &[NUMBERS],
    &[Alternative::new(&[some(within(CHINESE_OR_JAPANESE))])],
    WORDS,
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("deepseek-v3", "it's 1234 漢字 ok."),
            ["it", "'s", " ", "123", "4", " ", "漢字", " ok", "."]
        );
        assert_eq!(
            pieces("deepseek-v3", "e\u{301}€ ~é !\n"),
            ["e\u{301}", "€", " ", "~é", " !\n"]
        );
    }
}
