// SPDX-License-Identifier: GPL-2.0
//! Tokens with a task: those around a text, and those that end a turn.

use crate::abi::note;
use crate::gguf::{Reason, Refusal, cells};
use crate::tokenizer::layout::{END, NONE, TablesMut, head};
use crate::tokenizer::normalizer::Normalizer;
use crate::tokenizer::vocabulary::{Model, TokenKind, Vocabulary};
use crate::tokenizer::{ends, pattern};

use super::Builder;

impl Builder {
    /// Writes the head of the tables, which names the tokens around a text.
    pub(super) fn write_head(&mut self, tables: &mut TablesMut<'_>) -> Result<(), Refusal> {
        let sentence_piece = self.model == Model::SentencePiece;
        let word_piece = self.model == Model::WordPiece;
        let unigram = self.model == Model::Unigram;
        let (first, last) = if word_piece {
            let first = self.keys.bos.or(self.keys.classification);
            (first, self.keys.separator.or(self.keys.eos))
        } else {
            (self.keys.bos, self.keys.eos)
        };
        let [usual_bos, usual_eos, usual_unknown] = self.usual_ids();
        let bos = self.id(first, usual_bos, note::BOS);
        let eos = self.id(last, usual_eos, note::EOS);
        let unknown = self.id(self.keys.unknown, usual_unknown, note::UNKNOWN);
        let missing = |key| Refusal::new(Reason::KeyMissing, 0, key);
        if (self.keys.add_bos == Some(true) || word_piece) && bos == NONE {
            return Err(missing(b"tokenizer.ggml.bos_token_id"));
        }
        if (self.keys.add_eos == Some(true) || word_piece) && eos == NONE {
            return Err(missing(b"tokenizer.ggml.eos_token_id"));
        }
        let usually = pattern::at(self.pretokenizer).map_or(sentence_piece, |row| row.adds_bos);
        // Around a text of WordPiece there are always both, and BOS before one of characters, as in llama.cpp.
        let always = self.model == Model::Characters;
        let add_bos = always || self.keys.add_bos.unwrap_or(usually);
        let add_bos = word_piece || add_bos && bos != NONE;
        let add_eos = word_piece || self.keys.add_eos.unwrap_or(unigram && eos != NONE);
        let add_space = match self.model {
            Model::SentencePiece => self.keys.add_space_prefix.unwrap_or(true),
            Model::Unigram => self.keys.add_space_prefix.unwrap_or(false),
            _ => false,
        };
        let normalizer = Normalizer {
            lowercase: self.keys.lowercase.unwrap_or(true),
            strips_accents: self.keys.strip_accents.unwrap_or(true),
        };
        for (at, value) in [
            (head::MODEL, self.model as u32),
            (head::TOKENS, self.layout.tokens),
            (head::MERGES, self.layout.merges),
            (head::TEXT_BYTES, self.layout.text_bytes),
            (head::BOS, bos),
            (head::EOS, eos),
            (head::UNKNOWN, unknown),
            (head::ADD_BOS, u32::from(add_bos)),
            (head::ADD_SPACE, u32::from(add_space)),
            (head::PRETOKENIZER, self.pretokenizer),
            (head::ADD_EOS, u32::from(add_eos)),
            (head::NORMALIZER, normalizer.number()),
            (head::LEAST_SCORE, u32::MAX),
            (head::MAP_BYTES, self.layout.map_bytes),
        ] {
            cells::set(tables.head, at, value);
        }
        if unigram {
            let merges_spaces = self.keys.merges_spaces.unwrap_or(false);
            cells::set(tables.head, head::NORMALIZER, u32::from(merges_spaces));
        }
        Ok(())
    }

    /// BOS, EOS and the unknown token of a vocabulary whose file names none, as in llama.cpp but for
    /// byte-level ones: the token that it would take there is a comma in GPT-2's.
    fn usual_ids(&self) -> [Option<u32>; 3] {
        match self.model {
            Model::SentencePiece => [Some(1), Some(2), Some(0)],
            Model::ByteLevel | Model::Characters => [None; 3],
            Model::WordPiece => [Some(101), Some(102), Some(100)],
            Model::Unigram => [None, Some(1), Some(2)],
        }
    }

    /// The id `given` by the file; the `usual` one where it gives none, or one that is no token, which
    /// is noted.
    fn id(&mut self, given: Option<u32>, usual: Option<u32>, note: u32) -> u32 {
        let is_token = |id: &u32| *id < self.layout.tokens;
        if let Some(id) = given.filter(is_token) {
            return id;
        }
        if given.is_some() {
            self.notes |= note;
        }
        usual.filter(is_token).unwrap_or(NONE)
    }

    /// Marks the tokens that end a turn by their ids, and unmarks those that do not although their
    /// texts say so.
    pub(super) fn mark_ends(&mut self, tables: &mut TablesMut<'_>) {
        for exception in ends::EXCEPTIONS {
            let vocabulary = Vocabulary::unfinished(tables.view(), self.model);
            let set = vocabulary.set_of(TokenKind::Control);
            let [first, second, third] = exception.map(|text| vocabulary.find(text, set));
            if let (Some(first), Some(_), Some(_)) = (first, second, third) {
                unmark(tables, first);
            }
        }
        let eos = cells::get(tables.head, head::EOS).filter(|&id| id != NONE);
        for id in self.keys.ends.into_iter().chain([eos]).flatten() {
            if !mark(tables, id) {
                self.notes |= note::END;
            }
        }
    }
}

/// Marks token `id` as one that ends a turn; `false` when it is none.
fn mark(tables: &mut TablesMut<'_>, id: u32) -> bool {
    let kind = tables.kinds.get_mut(id as usize);
    kind.map(|kind| *kind |= END).is_some()
}

/// Token `id` ends no turn.
fn unmark(tables: &mut TablesMut<'_>, id: u32) {
    if let Some(kind) = tables.kinds.get_mut(id as usize) {
        *kind &= !END;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::testing::{PIECES, built, byte_level, refused, sentence_piece, tables};

    #[test]
    fn ids_that_are_no_tokens_fall_back_with_a_note() {
        let count = PIECES.len() as u32;
        for (key, note) in [
            ("bos_token_id", note::BOS),
            ("eos_token_id", note::EOS),
            ("unknown_token_id", note::UNKNOWN),
            ("eot_token_id", note::END),
            ("fim_sep_token_id", note::END),
        ] {
            let key = format!("tokenizer.ggml.{key}");
            for id in [count, u32::MAX] {
                let writer = sentence_piece(PIECES).u32(&key, id);
                assert_eq!(built(&writer), (note, vec![2]), "{key}");
                let tables = tables(&writer);
                let vocabulary = Vocabulary::view(&tables).expect("finished tables");
                let ids = (vocabulary.bos(), vocabulary.eos(), vocabulary.unknown());
                assert_eq!(ids, (Some(1), Some(2), Some(0)));
            }
            assert_eq!(built(&sentence_piece(PIECES).u32(&key, count - 1)).0, 0);
        }
        let bytes = byte_level(&["a", "b"], &[1, 1], &[]);
        let bytes = bytes.u32("tokenizer.ggml.eos_token_id", 2);
        assert_eq!(built(&bytes), (note::EOS, vec![]));
    }

    #[test]
    fn a_token_to_be_added_must_be_there() {
        let bytes = |key: &str| byte_level(&["a", "b"], &[1, 1], &[]).bool(key, true);
        for name in ["bos", "eos"] {
            let writer = bytes(&format!("tokenizer.ggml.add_{name}_token"));
            let id = format!("tokenizer.ggml.{name}_token_id");
            assert_eq!(refused(&writer), (Reason::KeyMissing, 0, id.clone()));
            tables(&writer.u32(&id, 1));
        }
    }

    #[test]
    fn a_turn_ends_at_each_id_and_each_name_of_an_end() {
        let key = |name: &str| format!("tokenizer.ggml.{name}_token_id");
        let pieces = sentence_piece(PIECES).u32(&key("eos"), 5);
        // </s> by its name.
        assert_eq!(built(&pieces), (0, vec![2, 5]));
        let pieces = pieces.u32(&key("eot"), 6).u32(&key("eom"), 7);
        assert_eq!(built(&pieces), (0, vec![2, 5, 6, 7]));
        let pieces = pieces.u32(&key("fim_pad"), 8).u32(&key("fim_rep"), 9);
        assert_eq!(
            built(&pieces.u32(&key("fim_sep"), 6)),
            (0, vec![2, 5, 6, 7, 8, 9])
        );
        let named = |names: &[&str]| built(&byte_level(names, &vec![3; names.len()], &[]));
        assert_eq!(named(&["a", "<|im_end|>", "<|eot_id|>"]), (0, vec![1, 2]));
        assert_eq!(named(&["<|im_start|>", "<end_of_turn>"]), (0, vec![1]));
    }

    #[test]
    fn where_messages_end_by_themselves_a_turn_does_not() {
        let named = |names: &[&str]| built(&byte_level(names, &vec![3; names.len()], &[])).1;
        assert_eq!(named(&["<|end|>", "<|return|>"]), [0, 1]);
        assert_eq!(named(&["<|end|>", "<|return|>", "<|call|>"]), [1, 2]);
        assert_eq!(named(&["<|end|>", "<|flush|>", "<|calls|>"]), [1, 2]);
        assert_eq!(named(&["</s>", "<|tool_response>"]), [1]);
    }
}
