// SPDX-License-Identifier: GPL-2.0
//! GPT-2: words with the space before them. Source: OpenAI's GPT-2 (src/encoder.py).
//!
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

use super::Pattern;
use super::alternative::*;

pub(super) const WORDS: Split = &[
    CONTRACTION,
    SPACED_LETTERS,
    SPACED_NUMBERS,
    SPACED_SIGNS,
    SPACES_BEFORE,
    SPACES,
];
pub(super) const PATTERN: Pattern = &[WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn words_are_those_of_the_pattern() {
        let words = |text| pieces("gpt-2", text);
        assert_eq!(words("Hello, world!"), ["Hello", ",", " world", "!"]);
        assert_eq!(
            words("it's we'll 'tis"),
            ["it", "'s", " we", "'ll", " '", "tis"]
        );
        assert_eq!(words("a  b   "), ["a", " ", " b", "   "]);
        assert_eq!(words("a\n\nb"), ["a", "\n", "\n", "b"]);
        assert_eq!(words("\n b \n"), ["\n", " b", " \n"]);
        assert_eq!(words("x2 ½!?"), ["x", "2", " ½", "!?"]);
        assert_eq!(words("\u{3000}日本"), ["\u{3000}", "日本"]);
        assert_eq!(words("'re're 'r"), ["'re", "'re", " '", "r"]);
        assert_eq!(words("IT'S"), ["IT", "'", "S"]);
        assert_eq!(words(" "), [" "]);
    }
}
