// SPDX-License-Identifier: GPL-2.0
//! Mistral's Tekken: words that change from upper to lower case at most once.
//!
//! `[^\r\n\p{L}\p{N}]?[upper]*[lower]+|[^\r\n\p{L}\p{N}]?[upper]+[lower]*|\p{N}
//! | ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, upper being letters but a to z, lower
//! letters but A to Z, as llama.cpp has it. The models' own rule has cases of other scripts and
//! marks in words, too.

use super::Pattern;
use super::alternative::*;
use super::class::{LEADING, LOWER, UPPER};

pub(super) const PATTERN: Pattern = &[&[
    Alternative::new(&[optional(LEADING), any(UPPER), some(LOWER)]),
    Alternative::new(&[optional(LEADING), some(UPPER), any(LOWER)]),
    ONE_NUMBER,
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
            pieces("tekken", "HelloWorld NASA's 12"),
            ["Hello", "World", " NASA", "'s", " ", "1", "2"]
        );
        assert_eq!(pieces("tekken", "ABÉCD Éa"), ["ABÉ", "CD", " Éa"]);
        assert_eq!(pieces("tekken", "a://b\n"), ["a", "://", "b", "\n"]);
    }
}
