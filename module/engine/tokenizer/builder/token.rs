// SPDX-License-Identifier: GPL-2.0
//! A token: its kind, score and text.

use core::ops::Range;

use crate::abi::note;
use crate::gguf::hash::hash;
use crate::gguf::{Reason, Refusal, cells};
use crate::tokenizer::byte_name::byte_of;
use crate::tokenizer::layout::{END, TablesMut, head};
use crate::tokenizer::vocabulary::{Model, TokenKind, Vocabulary};
use crate::tokenizer::{TOKEN_BYTES_MAX, alphabet, ends, prefixes, score, special};

use super::{Builder, element, inconsistent, slots};

impl Builder {
    /// Adds the next token: its kind, score and text.
    pub(super) fn add_token(
        &mut self,
        prefix: &[u8],
        tables: &mut TablesMut<'_>,
    ) -> Result<(), Refusal> {
        let id = self.done;
        let refusal = inconsistent(id, b"tokenizer.ggml.tokens");
        let given = self.next_string(prefix).ok_or(refusal)?;
        if given.len() > TOKEN_BYTES_MAX {
            let length = given.len() as u64;
            return Err(Refusal::new(
                Reason::Count,
                length,
                b"tokenizer.ggml.tokens",
            ));
        }
        let kind = self
            .keys
            .token_type
            .map_or(Some(1), |array| element(array, id, prefix));
        let kind = kind.and_then(TokenKind::from_number);
        let kind = kind.ok_or(inconsistent(id, b"tokenizer.ggml.token_type"))?;
        let kind = match (kind, self.model) {
            // Every token of a byte-level vocabulary is made of bytes.
            (TokenKind::Byte, Model::ByteLevel) => TokenKind::Normal,
            _ => kind,
        };
        if kind == TokenKind::Byte && byte_of(given).is_none() {
            return Err(refusal);
        }
        let is_end = ends::is_end(given);
        let kind = match kind {
            TokenKind::Control | TokenKind::Unknown => kind,
            // Else a user could end a turn with its text, or merges could make it.
            _ if is_end => {
                self.notes |= note::MARK;
                TokenKind::Control
            }
            _ => kind,
        };
        if self.layout.scored {
            let bits = self
                .keys
                .scores
                .map_or(Some(0), |array| element(array, id, prefix));
            let score = bits.and_then(score::ordered);
            let score = score.ok_or(inconsistent(id, b"tokenizer.ggml.scores"))?;
            cells::set(tables.scores, id as usize, score);
            if kind == TokenKind::Normal {
                let least = cells::get(tables.head, head::LEAST_SCORE).unwrap_or(score);
                cells::set(tables.head, head::LEAST_SCORE, least.min(score));
            }
        }
        let room = tables.text.get_mut(self.text..).ok_or(refusal)?;
        let length = write_text(self.model, kind, given, room).ok_or(refusal)?;
        // CAST: At most `text_bytes`.
        #[expect(clippy::cast_possible_truncation)]
        let (start, end) = (self.text as u32, (self.text + length) as u32);
        cells::set(tables.starts, id as usize, start);
        cells::set(tables.starts, id as usize + 1, end);
        let mark = if is_end { END } else { 0 };
        *tables.kinds.get_mut(id as usize).ok_or(refusal)? = kind as u8 | mark;
        insert_text(self.model, id, tables).ok_or(refusal)?;
        add_special(kind, self.text..self.text + length, tables);
        match self.model {
            Model::WordPiece => add_piece(id, tables),
            Model::Unigram => {
                let text = tables.text.get(self.text..self.text + length);
                prefixes::add(tables.prefixes, text.unwrap_or_default());
            }
            _ => {}
        }
        self.text += length;
        self.done += 1;
        Ok(())
    }
}

/// Writes a token's text as the tables hold it and gives its length.
pub(super) fn write_text(
    model: Model,
    kind: TokenKind,
    given: &[u8],
    room: &mut [u8],
) -> Option<usize> {
    let special = matches!(
        kind,
        TokenKind::Unknown | TokenKind::Control | TokenKind::UserDefined
    );
    if model == Model::ByteLevel
        && !special
        && let Some(length) = alphabet::decode(given, room)
    {
        return Some(length);
    }
    room.get_mut(..given.len())?.copy_from_slice(given);
    Some(given.len())
}

/// Puts the text of token `id` in the hash table; `None` when it is there already, or when too many
/// texts collide. A token without text is never found.
fn insert_text(model: Model, id: u32, tables: &mut TablesMut<'_>) -> Option<()> {
    let vocabulary = Vocabulary::unfinished(tables.view(), model);
    let text = vocabulary.text(id);
    if text.is_empty() {
        return Some(());
    }
    let set = vocabulary.set_of(vocabulary.kind(id));
    let hash = hash(text, set);
    match vocabulary.find_hashed(hash, text, set) {
        // gemma4's own vocabulary has three texts twice; the later one counts, as in llama.cpp.
        Some(earlier) if matches!(model, Model::Characters | Model::Unigram) => {
            slots::replace(tables.slots, hash, earlier, id)
        }
        Some(_) => None,
        None => slots::insert(tables.slots, hash, id),
    }
}

/// Adds token `id` to the set of what words are cut into.
fn add_piece(id: u32, tables: &mut TablesMut<'_>) {
    let vocabulary = Vocabulary::unfinished(tables.view(), Model::WordPiece);
    let text = vocabulary.text(id);
    if vocabulary.find_mergeable(text) != Some(id) {
        return;
    }
    let (first, length) = (text.first().copied(), text.len());
    let set = tables
        .head
        .get_mut(head::BYTE_TOKENS..head::BYTE_TOKENS + special::CELLS);
    if let (Some(set), Some(first)) = (set, first) {
        special::add(set, first, length);
    }
}

/// Adds the text of a special token to the set of those of its kind.
fn add_special(kind: TokenKind, text: Range<usize>, tables: &mut TablesMut<'_>) {
    let at = match kind {
        TokenKind::UserDefined => head::USER_DEFINED,
        TokenKind::Control | TokenKind::Unknown => head::CONTROL,
        _ => return,
    };
    let set = tables.head.get_mut(at..at + special::CELLS);
    let text = tables.text.get(text).unwrap_or_default();
    if let (Some(set), Some(&first)) = (set, text.first()) {
        special::add(set, first, text.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::testing::Writer;
    use crate::tokenizer::testing::{
        PIECES, Token, build, built, byte_level, ids, refused, sentence_piece, tables,
    };

    fn pieces(change: impl FnOnce(&mut Vec<Token>)) -> Writer {
        let mut tokens = PIECES.to_vec();
        change(&mut tokens);
        sentence_piece(&tokens)
    }

    #[test]
    fn inconsistent_tokens_are_refused() {
        let refusal = |id, key: &str| (Reason::Vocabulary, id, format!("tokenizer.ggml.{key}"));
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].0 = "a")),
            refusal(6, "tokens")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].1 = 7)),
            refusal(6, "token_type")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].1 = -1)),
            refusal(6, "token_type")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].2 = f32::NAN)),
            refusal(6, "scores")
        );
        assert_eq!(
            refused(&pieces(|tokens| tokens[6].1 = 6)),
            refusal(6, "tokens")
        );
        let long = |length| {
            let text = String::leak("x".repeat(length));
            pieces(|tokens| tokens[6].0 = text)
        };
        let too_long = (Reason::Count, 1025, "tokenizer.ggml.tokens".to_owned());
        assert_eq!(refused(&long(1025)), too_long);
        tables(&long(1024));
        let twice = byte_level(&["Ġ", "a", "Ġ"], &[1, 1, 1], &[]);
        assert_eq!(refused(&twice), refusal(2, "tokens"));
        let apart = byte_level(&["Ġ", "a", " "], &[1, 1, 4], &["Ġ a"]);
        assert!(build(&apart.finish(), 10).is_ok());
        let merge = |merge: &str| refused(&byte_level(&["a"], &[1], &["a a", merge]));
        for defect in ["aa", "", "a", " a"] {
            assert_eq!(merge(defect), refusal(1, "merges"));
        }
    }

    #[test]
    fn a_name_of_an_end_is_a_control_token_whatever_the_file_says() {
        for kind in [1, 4, 5] {
            let file = byte_level(&["a", "<|im_end|>"], &[1, kind], &[]);
            assert_eq!(built(&file), (note::MARK, vec![1]));
            let tables = tables(&file);
            let vocabulary = Vocabulary::view(&tables).expect("finished tables");
            assert_eq!(vocabulary.kind(1), TokenKind::Control);
            assert_eq!(ids(&tables, b"<|im_end|>", true, true), [1]);
            assert_eq!(ids(&tables, b"<|im_end|>", true, false), []);
        }
    }

    #[test]
    fn without_scores_all_are_zero() {
        let pieces: Vec<Token> = PIECES.iter().map(|piece| (piece.0, piece.1, 0.0)).collect();
        let texts: Vec<&[u8]> = PIECES.iter().map(|piece| piece.0.as_bytes()).collect();
        let kinds: Vec<i32> = PIECES.iter().map(|piece| piece.1).collect();
        let unscored = Writer::new()
            .text("tokenizer.ggml.model", "llama")
            .strings("tokenizer.ggml.tokens", &texts)
            .integers("tokenizer.ggml.token_type", &kinds);
        assert_eq!(built(&unscored), (note::SCORES, vec![2]));
        assert_eq!(tables(&unscored), tables(&sentence_piece(&pieces)));
    }

    #[test]
    fn texts_made_to_collide_are_refused() {
        // 300 texts whose first slot is the same among 2048.
        let texts: Vec<Vec<u8>> = (0u32..)
            .map(|number| number.to_le_bytes().to_vec())
            .filter(|text| hash(text, 0) >> 32 & 2047 == 9)
            .take(300)
            .collect();
        let texts: Vec<&[u8]> = texts.iter().map(|text| &text[..]).collect();
        let writer = Writer::new()
            .text("general.architecture", "llama")
            .text("tokenizer.ggml.model", "llama")
            .strings(
                "tokenizer.ggml.tokens",
                &[&texts[..], &[&b"x"[..]; 0]].concat(),
            )
            .floats("tokenizer.ggml.scores", &vec![0.0; texts.len()]);
        let (reason, at, subject) = refused(&writer);
        assert_eq!(
            (reason, subject.as_str()),
            (Reason::Vocabulary, "tokenizer.ggml.tokens")
        );
        assert_eq!(at, crate::gguf::hash::PROBES as u64);
    }
}
