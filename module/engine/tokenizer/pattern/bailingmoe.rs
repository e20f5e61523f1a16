// SPDX-License-Identifier: GPL-2.0
//! Ling: Qwen2's words, one line's end at a time.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}
//! | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;

pub(super) const PATTERN: Pattern = &[&[
    ANY_CONTRACTION,
    LED_LETTERS,
    ONE_NUMBER,
    SIGNS_AND_LINE,
    LINE,
    SPACES_BEFORE,
    SPACES,
]];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("bailingmoe", "a\n\n \n  b"),
            ["a", "\n\n \n", " ", " b"]
        );
        assert_eq!(pieces("bailingmoe", "'VE 12"), ["'VE", " ", "1", "2"]);
    }
}
