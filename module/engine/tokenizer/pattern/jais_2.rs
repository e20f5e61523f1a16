// SPDX-License-Identifier: GPL-2.0
//! Jais 2: Llama 3's words, white space in powers of two.
//!
//! `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}
//! | ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|...|\s{4}(?!\S)|\s{1,2}(?!\S)|\s`

use super::Pattern;
use super::alternative::*;
use super::class::{NO_SPACE, SPACE};

/// `\s{LEAST,MOST}(?!\S)`.
macro_rules! spaces {
    ($least:literal, $most:literal) => {
        Alternative::new(&[repeated(SPACE, $least, $most)]).unless_before(NO_SPACE)
    };
}

pub(super) const PATTERN: Pattern = &[&[
    ANY_CONTRACTION,
    LED_LETTERS,
    NUMBERS,
    SIGNS_AND_LINE,
    LINES,
    spaces!(512, 512),
    spaces!(256, 256),
    spaces!(128, 128),
    spaces!(64, 64),
    spaces!(32, 32),
    spaces!(16, 16),
    spaces!(8, 8),
    spaces!(4, 4),
    spaces!(1, 2),
    Alternative::new(&[one(SPACE)]),
]];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("jais-2", "a      b\t"),
            ["a", "    ", " ", " b", "\t"]
        );
        assert_eq!(pieces("jais-2", "    1"), ["  ", " ", " ", "1"]);
        assert_eq!(pieces("jais-2", "       "), ["    ", "  ", " "]);
    }
}
