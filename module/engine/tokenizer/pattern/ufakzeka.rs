// SPDX-License-Identifier: GPL-2.0
//! Ufakzeka: Qwen2's words without contractions, which Turkish suffixes are not.
//!
//! `[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;

pub(super) const PATTERN: Pattern = &[&[
    LED_LETTERS,
    ONE_NUMBER,
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
            pieces("ufakzeka", "Ali'de 12"),
            ["Ali", "'de", " ", "1", "2"]
        );
    }
}
