// SPDX-License-Identifier: GPL-2.0
//! AFMoE: numbers in threes from their right end, East and South-East Asian runs, then DeepSeek
//! V3's words.
//!
//! `\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))`, `[scripts]+`, then DeepSeek V3's. As in llama.cpp, the text
//! before a number is cut together with its first digits.

use super::alternative::*;
use super::class::{NUMBER, Range, within};
use super::{Pattern, deepseek_v3};

const SCRIPTS: &[Range] = &[
    ('\u{4e00}', '\u{9fff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{3040}', '\u{30ff}'),
    ('\u{ff65}', '\u{ff9f}'),
    ('\u{2f00}', '\u{2fdf}'),
    ('\u{e00}', '\u{eff}'),
    ('\u{1780}', '\u{17ff}'),
    ('\u{1000}', '\u{109f}'),
    ('\u{aa60}', '\u{aa7f}'),
    ('\u{a9e0}', '\u{a9ff}'),
    ('\u{ac00}', '\u{d7af}'),
    ('\u{1100}', '\u{11ff}'),
];
pub(super) const PATTERN: Pattern = &[
    &[Alternative::new(&[some(NUMBER)])
        .in_threes()
        .with_text_before()],
    &[Alternative::new(&[some(within(SCRIPTS))])],
    deepseek_v3::WORDS,
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("afmoe", "a 1234567 ไทย b"),
            ["a", " ", "1", "234", "567", " ", "ไทย", " b"]
        );
        assert_eq!(pieces("afmoe", "a  12"), ["a", " ", " ", "12"]);
    }
}
