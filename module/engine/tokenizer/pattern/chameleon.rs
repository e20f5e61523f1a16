// SPDX-License-Identifier: GPL-2.0
//! Chameleon: marks of images, single white space, digits and punctuation, then GPT-2's words.
//!
//! `<sentinel:[0-9]+>`, `IMGIMG[A-I]{1,4}Z`, `[\t\n]|    |  `, `\p{N}`,
//! `[\p{P}!-/:-@\[-\x60{-~]`, then GPT-2's.

use super::alternative::*;
use super::class::{ASCII_SIGNS, DIGIT, PUNCTUATION, within};
use super::{Pattern, gpt_2};

pub(super) const PATTERN: Pattern = &[
    &[Alternative::new(&[
        text(&["<sentinel:"]),
        some(within(DIGIT)),
        text(&[">"]),
    ])],
    &[Alternative::new(&[
        text(&["IMGIMG"]),
        repeated(within(&[('A', 'I')]), 1, 4),
        text(&["Z"]),
    ])],
    &[
        Alternative::new(&[one(within(&[('\t', '\n')]))]),
        Alternative::new(&[text(&["    ", "  "])]),
    ],
    &[ONE_NUMBER],
    &[Alternative::new(&[one(PUNCTUATION.and(ASCII_SIGNS))])],
    gpt_2::WORDS,
];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("chameleon", "a<sentinel:12>IMGIMGABZ b"),
            ["a", "<", "sentinel", ":", "1", "2", ">", "IMGIMGABZ", " b"]
        );
        assert_eq!(
            pieces("chameleon", "x\n\t      y!!12"),
            ["x", "\n", "\t", "    ", "  ", "y", "!", "!", "1", "2"]
        );
    }
}
