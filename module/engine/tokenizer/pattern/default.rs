// SPDX-License-Identifier: GPL-2.0
//! Of files that name no pre-tokenizer, as llama.cpp takes them.
//!
//! `[\p{P}$+<=>^~|]+`, then GPT-2's, then `\p{N}+`, then `[0-9][0-9][0-9]`.

use super::alternative::*;
use super::class::{NUMBER, PUNCTUATION, Range};
use super::{Pattern, gpt_2};

const SYMBOLS: &[Range] = &[
    ('$', '$'),
    ('+', '+'),
    ('<', '>'),
    ('^', '^'),
    ('|', '|'),
    ('~', '~'),
];
pub(super) const PATTERN: Pattern = &[
    &[Alternative::new(&[some(PUNCTUATION.and(SYMBOLS))])],
    gpt_2::WORDS,
    &[Alternative::new(&[some(NUMBER)])],
    &[THREE_DIGITS],
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("default", "it's 12345 `x"),
            ["it", "'", "s", " ", "123", "45", " `", "x"]
        );
    }
}
