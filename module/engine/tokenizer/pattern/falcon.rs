// SPDX-License-Identifier: GPL-2.0
//! Falcon: punctuation first, then GPT-2's words, then threes of digits.
//!
//! `[\p{P}$+<=>^~|\x60]+`, then GPT-2's, then `[0-9][0-9][0-9]`.

use super::alternative::*;
use super::class::{PUNCTUATION, Range};
use super::{Pattern, gpt_2};

const SYMBOLS: &[Range] = &[
    ('$', '$'),
    ('+', '+'),
    ('<', '>'),
    ('^', '^'),
    ('`', '`'),
    ('|', '|'),
    ('~', '~'),
];
pub(super) const PATTERN: Pattern = &[
    &[Alternative::new(&[some(PUNCTUATION.and(SYMBOLS))])],
    gpt_2::WORDS,
    &[THREE_DIGITS],
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("falcon", "it's 12345 `x`"),
            ["it", "'", "s", " ", "123", "45", " ", "`", "x", "`"]
        );
        assert_eq!(pieces("falcon", "12 €5"), ["12", " €", "5"]);
    }
}
