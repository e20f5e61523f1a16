// SPDX-License-Identifier: GPL-2.0
//! SmolLM, StarCoder, Command-R: each digit alone, then GPT-2's words.
//!
//! `\p{N}`, then GPT-2's.

use super::alternative::*;
use super::{Pattern, gpt_2};

pub(super) const PATTERN: Pattern = &[&[ONE_NUMBER], gpt_2::WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(pieces("smollm", "a 123 b"), ["a", " ", "1", "2", "3", " b"]);
        assert_eq!(pieces("smollm", "x²  y"), ["x", "²", " ", " y"]);
        assert_eq!(pieces("command-r", "it's"), ["it", "'s"]);
    }
}
