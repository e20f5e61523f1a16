// SPDX-License-Identifier: GPL-2.0
//! SuperBPE: numbers, in threes from their right end; words stay together.
//!
//! `\p{N}+`, then `(?=(\d{3})+(?!\d))`. Numbers that are no digits (`½`) stand apart from the threes;
//! llama.cpp leaves them with the digits beside them.

use super::Pattern;
use super::alternative::*;
use super::class::{DIGIT, NUMBER, within};

pub(super) const PATTERN: Pattern = &[
    &[Alternative::new(&[some(NUMBER)])],
    &[Alternative::new(&[some(within(DIGIT))]).in_threes()],
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("superbpe", "by the way 1234567 x"),
            ["by the way ", "1", "234", "567", " x"]
        );
        assert_eq!(pieces("superbpe", "123456 12"), ["123", "456", " ", "12"]);
    }
}
