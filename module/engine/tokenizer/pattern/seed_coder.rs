// SPDX-License-Identifier: GPL-2.0
//! Seed-Coder: Qwen2's words, signs without the line's end.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}
//! | ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;

pub(super) const PATTERN: Pattern = &[&[
    ANY_CONTRACTION,
    LED_LETTERS,
    ONE_NUMBER,
    SPACED_SIGNS,
    LINES,
    SPACES_BEFORE,
    SPACES,
]];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(pieces("seed-coder", "a;\n b"), ["a", ";", "\n", " b"]);
    }
}
