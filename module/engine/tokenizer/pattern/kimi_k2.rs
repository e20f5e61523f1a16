// SPDX-License-Identifier: GPL-2.0
//! Kimi K2: runs of Han, words without it and with their contraction, numbers in threes.
//!
//! `[Han]+|[^\r\n\p{L}\p{N}]?[letters but Han]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}
//! | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, as llama.cpp has it. The models' own rule
//! has cases and marks in words, too.

use super::Pattern;
use super::alternative::*;
use super::class::{LEADING, LETTER, Range, within};

const HAN: &[Range] = &[
    ('\u{4e00}', '\u{9fff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{20000}', '\u{2a6df}'),
    ('\u{2a700}', '\u{2ebef}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{2f800}', '\u{2fa1f}'),
];
pub(super) const PATTERN: Pattern = &[&[
    Alternative::new(&[some(within(HAN))]),
    Alternative::new(&[
        optional(LEADING),
        some(LETTER.except(HAN)),
        contraction(true, true),
    ]),
    NUMBERS,
    SIGNS_AND_LINE,
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
            pieces("kimi-k2", "Ask漢字ok'S 1234 漢!\n"),
            ["Ask", "漢字", "ok'S", " ", "123", "4", " ", "漢", "!\n"]
        );
    }
}
