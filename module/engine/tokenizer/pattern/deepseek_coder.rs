// SPDX-License-Identifier: GPL-2.0
//! DeepSeek Coder: line ends, words, punctuation, East Asian text, digits, one after the other.
//!
//! `[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`, `[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+`, `\p{N}`.

use super::Pattern;
use super::alternative::*;
use super::class::{LETTER, LINE_END, PUNCTUATION, SPACE};
use super::deepseek_llm::EAST_ASIAN;

pub(super) const PATTERN: Pattern = &[
    &[Alternative::new(&[one(LINE_END)])],
    &[Alternative::new(&[optional(SPACE), some(LETTER)])],
    &[Alternative::new(&[optional(SPACE), some(PUNCTUATION)])],
    &[Alternative::new(&[some(EAST_ASIAN)])],
    &[ONE_NUMBER],
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("deepseek-coder", "if  a\t== b!\n\n12"),
            ["if", " ", " a", "\t==", " b", "!", "\n", "\n", "1", "2"]
        );
    }
}
