// SPDX-License-Identifier: GPL-2.0
//! Youtu: Korean, full-width punctuation, bopomofo, and Chinese or Japanese runs, then words.
//!
//! `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[\u4E00-\u9FA5\u3040-\u30FF]+`, then
//! `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}
//! | ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`, as llama.cpp has it.

use super::Pattern;
use super::alternative::*;
use super::class::{CHINESE_OR_JAPANESE, Range, within};

const KOREAN: &[Range] = &[('\u{ac00}', '\u{d7a3}'), ('\u{3131}', '\u{318e}')];
const WIDE_PUNCTUATION: &[Range] = &[
    ('\u{ff01}', '\u{ff01}'),
    ('\u{2026}', '\u{2026}'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{2014}', '\u{2014}'),
    ('\u{ff1a}', '\u{ff1b}'),
    ('\u{ff0c}', '\u{ff0c}'),
    ('\u{3001}', '\u{303f}'),
    ('\u{fe30}', '\u{fe4f}'),
];
const BOPOMOFO: &[Range] = &[('\u{3105}', '\u{312f}')];

const SCRIPTS: Split = &[
    Alternative::new(&[some(within(KOREAN))]),
    Alternative::new(&[some(within(WIDE_PUNCTUATION))]),
    Alternative::new(&[some(within(BOPOMOFO))]),
    Alternative::new(&[some(within(CHINESE_OR_JAPANESE))]),
];
const WORDS: Split = &[
    MARKED_WORD,
    ONE_NUMBER,
    SIGNS_AND_SLASH,
    LINES,
    SPACES_BEFORE,
    SPACES,
];
pub(super) const PATTERN: Pattern = &[SCRIPTS, WORDS];

#[cfg(test)]
mod tests {
    use super::super::testing::pieces;

    #[test]
    fn pieces_are_those_of_the_pattern() {
        assert_eq!(
            pieces("youtu", "한국 漢字，it's 12//\n"),
            ["한국", " ", "漢字", "，", "it's", " ", "1", "2", "//\n"]
        );
    }
}
