// SPDX-License-Identifier: GPL-2.0
//! GPT-4o: Tekken's words with the contraction behind them, numbers in threes.
//!
//! `[^\r\n\p{L}\p{N}]?[upper]*[lower]+C?|[^\r\n\p{L}\p{N}]?[upper]+[lower]*C?|\p{N}{1,3}
//! | ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, C being `(?i:'s|'t|'re|'ve|'m|'ll|'d)`, upper
//! letters but a to z, lower letters but A to Z, as llama.cpp has it.

use super::Pattern;
use super::alternative::*;
use super::class::{LEADING, LOWER, UPPER};

const ENDING: Item = contraction(true, true);

pub(super) const PATTERN: Pattern = &[&[
    Alternative::new(&[optional(LEADING), any(UPPER), some(LOWER), ENDING]),
    Alternative::new(&[optional(LEADING), some(UPPER), any(LOWER), ENDING]),
    NUMBERS,
    SIGNS_AND_SLASH,
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
            pieces("gpt-4o", "HelloWorld'S NASA'll 1234"),
            ["Hello", "World'S", " NASA'll", " ", "123", "4"]
        );
        assert_eq!(pieces("llama4", "'s a'x"), ["'s", " a", "'x"]);
    }
}
