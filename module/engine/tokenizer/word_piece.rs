// SPDX-License-Identifier: GPL-2.0
//! WordPiece (Devlin et al., 2019): text is normalized and cut into words, and each word into the
//! longest tokens from its start on. A word that cannot be cut so is the unknown token.
//!
//! Vocabularies hold the start of a word with U+2581 before it, and what goes on bare.

use super::SPACE;
use super::normalizer::Part;
use super::vocabulary::Vocabulary;

/// What comes after a unit of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// More of the same.
    More,
    /// A token of the word, by its id.
    Token(u32),
    /// The word is the unknown token: those of it so far are not.
    Unknown,
    /// The fragment is done.
    Done,
}

/// The machine. The word at hand lies in the workspace.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordPiece {
    /// Bytes of the word, U+2581 included; 0 between words.
    length: usize,
    /// Where the next token of the word begins, once all of it is there.
    at: Option<usize>,
    /// The most bytes that the token can have.
    most: usize,
}

impl WordPiece {
    /// Between words.
    pub(super) fn new() -> Self {
        Self {
            length: 0,
            at: None,
            most: 0,
        }
    }

    /// Whether the next token is the first of a word.
    pub(super) fn begins_word(&self) -> bool {
        self.at.is_none()
    }

    /// Does one unit of work on `text`, of which `taken` bytes are done; `word` is room for a word.
    /// `None` when it is too small.
    pub(super) fn step(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        taken: &mut usize,
        word: &mut [u8],
    ) -> Option<Step> {
        match self.at {
            Some(at) => self.find(vocabulary, at, word),
            None => self.read(vocabulary, text, taken, word),
        }
    }

    /// Takes the next character.
    fn read(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        taken: &mut usize,
        word: &mut [u8],
    ) -> Option<Step> {
        let rest = text.get(*taken..).unwrap_or_default();
        let Some((part, length)) = vocabulary.normalizer().next(rest) else {
            return Some(if self.end_word() {
                Step::More
            } else {
                Step::Done
            });
        };
        match part {
            Part::Nothing => {}
            Part::Space => {
                self.end_word();
            }
            Part::Letter(character) => self.append(character, word)?,
            // The word before it comes first.
            Part::Alone(_) if self.end_word() => return Some(Step::More),
            Part::Alone(character) => {
                self.append(character, word)?;
                self.end_word();
            }
        }
        *taken += length;
        Some(Step::More)
    }

    fn append(&mut self, character: char, word: &mut [u8]) -> Option<()> {
        if self.length == 0 {
            word.get_mut(..SPACE.len())?.copy_from_slice(SPACE);
            self.length = SPACE.len();
        }
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        let room = word.get_mut(self.length..)?;
        room.get_mut(..bytes.len())?.copy_from_slice(bytes);
        self.length += bytes.len();
        Some(())
    }

    /// Lets the word, if there is one, be cut: whether there is.
    fn end_word(&mut self) -> bool {
        if self.length > 0 {
            self.at = Some(0);
            self.most = usize::MAX;
        }
        self.length > 0
    }

    /// Looks for a token at `at` of the word with one length.
    fn find(&mut self, vocabulary: &Vocabulary<'_>, at: usize, word: &[u8]) -> Option<Step> {
        let rest = word.get(at..self.length)?;
        if rest.is_empty() {
            *self = Self::new();
            return Some(Step::More);
        }
        let Some(length) = vocabulary.longest_piece(rest, self.most) else {
            *self = Self::new();
            return Some(Step::Unknown);
        };
        let found = rest
            .get(..length)
            .and_then(|piece| vocabulary.find_mergeable(piece));
        Some(match found {
            Some(id) => {
                self.at = Some(at + length);
                self.most = usize::MAX;
                Step::Token(id)
            }
            None => {
                self.most = length - 1;
                Step::More
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ids, refused, tables, text, word_piece};
    use crate::gguf::Reason;

    const TOKENS: &[&str] = &[
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁un", "▁u", "n", "able", "a", "ab", "▁a", "▁é", "▁!",
        "▁你", "▁n", "▁E",
    ];

    fn found(text: &str) -> Vec<u32> {
        let all = ids(&tables(&word_piece(TOKENS)), text.as_bytes(), true, false);
        assert_eq!((all.first(), all.last()), (Some(&2), Some(&3)));
        all[1..all.len() - 1].to_vec()
    }

    #[test]
    fn words_are_cut_into_the_longest_pieces() {
        assert_eq!(found("unable"), [4, 7]);
        assert_eq!(found("UNA ab"), [4, 8, 1]);
        assert_eq!(found(""), []);
        assert_eq!(found(" \t\u{0} "), []);
        assert_eq!(found("a!a"), [10, 12, 10]);
        assert_eq!(found("你a"), [13, 10]);
    }

    #[test]
    fn a_word_without_pieces_is_unknown_as_a_whole() {
        assert_eq!(found("unx a"), [1, 10]);
        assert_eq!(found("xa"), [1]);
        assert_eq!(found("[CLS]"), [1, 1, 1]);
        // The accent goes, and with it the token.
        assert_eq!(found("é"), [1]);
    }

    #[test]
    fn control_tokens_are_parsed_when_asked() {
        let tables = tables(&word_piece(TOKENS));
        assert_eq!(ids(&tables, b"a[SEP]a", false, true), [10, 3, 10]);
        assert_eq!(ids(&tables, b"a", false, false), [10]);
    }

    #[test]
    fn the_normalizer_is_as_the_file_says() {
        let with = |key: &str, truth| {
            let key = format!("tokenizer.ggml.normalizer.{key}");
            tables(&word_piece(TOKENS).bool(&key, truth))
        };
        let kept = with("strip_accents", false);
        assert_eq!(ids(&kept, "É".as_bytes(), false, false), [11]);
        let large = with("lowercase", false);
        assert_eq!(ids(&large, "É".as_bytes(), false, false), [15]);
    }

    #[test]
    fn pieces_come_back_with_their_spaces() {
        let tables = tables(&word_piece(TOKENS));
        assert_eq!(text(&tables, &[4, 7, 10, 12, 3]), b"unable a !");
    }

    #[test]
    fn marks_around_a_text_must_be_tokens() {
        let none = word_piece(&["▁a"]);
        let missing = (
            Reason::KeyMissing,
            0,
            "tokenizer.ggml.bos_token_id".to_owned(),
        );
        assert_eq!(refused(&none), missing);
    }
}
