// SPDX-License-Identifier: GPL-2.0
//! Laguna: lines and what is between them first, then Qwen2's words.
//!
//! `[^\n]+|\n+`, then Qwen2's.

use super::{Pattern, gemma4, qwen2};

pub(super) const PATTERN: Pattern = &[gemma4::LINES, qwen2::WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("laguna", "a;  \n\n b"),
            ["a", ";", "  ", "\n\n", " b"]
        );
    }
}
