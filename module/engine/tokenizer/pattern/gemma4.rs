// SPDX-License-Identifier: GPL-2.0
//! Gemma 4: lines, and the runs of newlines between them.
//!
//! `[^\n]+|\n+`

use super::Pattern;
use super::alternative::*;
use super::class::{ANY, Range, within};

const NEWLINE: &[Range] = &[('\n', '\n')];

pub(super) const LINES: Split = &[
    Alternative::new(&[some(ANY.except(NEWLINE))]),
    Alternative::new(&[some(within(NEWLINE))]),
];
pub(super) const PATTERN: Pattern = &[LINES];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("gemma4", "a b;  \n\n c\r\n"),
            ["a b;  ", "\n\n", " c\r", "\n"]
        );
    }
}
