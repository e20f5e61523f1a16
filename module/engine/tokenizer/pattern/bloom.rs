// SPDX-License-Identifier: GPL-2.0
//! BLOOM: whatever is between spaces, full stops and commas.
//!
//! ` ?[^(\s|.,!?…。，、।۔،)]+`

use super::Pattern;
use super::alternative::*;
use super::class::{BLANK, NO_SPACE, Range};

const STOPS: &[Range] = &[
    ('(', ')'),
    ('|', '|'),
    ('.', '.'),
    (',', ','),
    ('!', '!'),
    ('?', '?'),
    ('\u{2026}', '\u{2026}'),
    ('\u{3002}', '\u{3002}'),
    ('\u{ff0c}', '\u{ff0c}'),
    ('\u{3001}', '\u{3001}'),
    ('\u{964}', '\u{964}'),
    ('\u{6d4}', '\u{6d4}'),
    ('\u{60c}', '\u{60c}'),
];
pub(super) const WORDS: Split = &[Alternative::new(&[
    optional(BLANK),
    some(NO_SPACE.except(STOPS)),
])];
pub(super) const PATTERN: Pattern = &[WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("bloom", "Hello, it's (12)\n  x। "),
            ["Hello", ",", " it's", " (", "12", ")\n ", " x", "। "]
        );
    }
}
