// SPDX-License-Identifier: GPL-2.0
//! Laguna: lines and what is between them first, then Qwen2's words.
//!
//! `[^\n]+|\n+`, then Qwen2's.

use super::alternative::*;
use super::class::{ANY, Range, within};
use super::{Pattern, qwen2};

const NEWLINE: &[Range] = &[('\n', '\n')];

const LINES_APART: Split = &[
    Alternative::new(&[some(ANY.except(NEWLINE))]),
    Alternative::new(&[some(within(NEWLINE))]),
];
pub(super) const PATTERN: Pattern = &[LINES_APART, qwen2::WORDS];

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
