// SPDX-License-Identifier: GPL-2.0
//! Qwen2: Llama 3's words, each digit alone.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}
//! | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;

pub(super) const WORDS: Split = &[
    ANY_CONTRACTION,
    LED_LETTERS,
    ONE_NUMBER,
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
            pieces("qwen2", "I'm 42 ok"),
            ["I", "'m", " ", "4", "2", " ok"]
        );
        assert_eq!(pieces("qwen2", "a.b \n c"), ["a", ".b", " \n", " c"]);
    }
}
