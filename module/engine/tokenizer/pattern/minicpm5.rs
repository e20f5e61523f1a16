// SPDX-License-Identifier: GPL-2.0
//! MiniCPM 5: numbers in threes first, then Llama 3's words.
//!
//! `\p{N}{1,3}`, then `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+
//! | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::alternative::*;
use super::{Pattern, llama_bpe};

pub(super) const PATTERN: Pattern = &[&[NUMBERS], llama_bpe::WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("minicpm5", "a  12345 b"),
            ["a", "  ", "123", "45", " b"]
        );
    }
}
