// SPDX-License-Identifier: GPL-2.0
//! GPT-2's pre-tokenizer: cuts text into words that merges do not cross.
//!
//! The pattern of OpenAI's GPT-2 (src/encoder.py), as a machine that looks at one character a step:
//! `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

use super::unicode::{self, Class};

/// A word being read.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// Nothing yet.
    Start,
    /// Characters of one class, perhaps after a space.
    Of(Class),
    /// White space: where its last character starts.
    Space(usize),
}

/// The machine, between two characters of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pretokenizer {
    start: usize,
    at: usize,
    run: Run,
}

impl Pretokenizer {
    /// A machine at byte `at`, where a word starts.
    pub(super) fn new(at: usize) -> Self {
        Self {
            start: at,
            at,
            run: Run::Start,
        }
    }

    /// Looks at the next character of `text`; gives the end of the word when it is found. Must not
    /// be called with no text left at the start of a word.
    pub(super) fn step(&mut self, text: &[u8]) -> Option<usize> {
        let rest = text.get(self.at..).unwrap_or_default();
        let next = unicode::next(rest);
        match (self.run, next) {
            (Run::Start, None) => return Some(self.at),
            (Run::Start, Some((class, length))) => {
                if let Some(contraction) = contraction(rest) {
                    return Some(self.at + contraction);
                }
                let after = rest.get(length..).and_then(unicode::next);
                match (class, after) {
                    (Class::Space, Some((class, _)))
                        if rest.starts_with(b" ") && class != Class::Space =>
                    {
                        self.run = Run::Of(class);
                    }
                    (Class::Space, _) => self.run = Run::Space(self.at),
                    (class, _) => self.run = Run::Of(class),
                }
                self.at += length;
            }
            (Run::Of(class), Some((next, length))) if next == class => self.at += length,
            (Run::Of(_), _) => return Some(self.at),
            (Run::Space(_), Some((Class::Space, length))) => {
                self.run = Run::Space(self.at);
                self.at += length;
            }
            (Run::Space(_), None) => return Some(self.at),
            // `\s+(?!\S)`: the last before a word stays out, unless it is all.
            (Run::Space(last), Some(_)) if last > self.start => return Some(last),
            (Run::Space(_), Some(_)) => return Some(self.at),
        }
        None
    }
}

/// Length of the English contraction at the front of `text`.
fn contraction(text: &[u8]) -> Option<usize> {
    match text {
        [b'\'', b's' | b't' | b'm' | b'd', ..] => Some(2),
        [b'\'', b'r' | b'v', b'e', ..] | [b'\'', b'l', b'l', ..] => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        let mut words = vec![];
        let mut start = 0;
        while start < text.len() {
            let mut machine = Pretokenizer::new(start);
            let end = core::iter::repeat_with(|| machine.step(text.as_bytes())).find_map(|end| end);
            let end = end.expect("the machine ends");
            words.push(&text[start..end]);
            start = end;
        }
        words
    }

    #[test]
    fn words_are_those_of_the_pattern() {
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
        assert_eq!(words(" "), [" "]);
    }
}
