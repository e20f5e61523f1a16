// SPDX-License-Identifier: GPL-2.0
//! Viking: BLOOM's words, then each digit alone.
//!
//! BLOOM's, then `\p{N}`.

use super::alternative::*;
use super::{Pattern, bloom};

pub(super) const PATTERN: Pattern = &[bloom::WORDS, &[ONE_NUMBER]];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(pieces("viking", "a12 b!"), ["a", "1", "2", " b", "!"]);
    }
}
