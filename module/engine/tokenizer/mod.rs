// SPDX-License-Identifier: GPL-2.0
//! Text to token ids and back, by the vocabulary of a model file.
//!
//! Five kinds: SentencePiece BPE (scores, byte fallback), byte-level BPE (merges within words,
//! which a pre-tokenizer cuts by its pattern), WordPiece (the longest pieces of words), gemma4's
//! BPE of characters (merges, byte fallback), and Unigram (the pieces of the greatest score in sum). A [`Builder`] makes the tables of a [`Vocabulary`]
//! from the header of a file; a [`Tokenizer`] is the machine that turns text into ids,
//! [`Vocabulary::piece`] the way back.
//!
//! Ids are those of llama.cpp, with these exceptions, all of which keep text from getting lost or
//! from being taken for something else. As in SentencePiece itself, control, unknown and byte tokens
//! never come out of merges, and no space is put after one of its user-defined pieces in the middle of
//! a text; after a token that was added to its pieces there is one, as in transformers. Bytes that are
//! not UTF-8 stay single bytes, but not in Unigram, whose text is llama.cpp's. A byte that a byte-level vocabulary lacks becomes the unknown token
//! where the file names one.

mod alphabet;
mod builder;
mod byte_name;
mod character_map;
mod ends;
pub(crate) mod keys;
mod layout;
mod machine;
mod merging;
#[cfg(test)]
mod mutations;
mod normalizer;
mod normalizer_table;
mod pattern;
mod piece;
mod prefixes;
mod pretokenizer;
mod requirements;
mod score;
mod special;
#[cfg(test)]
pub(crate) mod testing;
mod unicode;
mod unicode_table;
mod unigram;
mod utf8;
mod vocabulary;
mod word_piece;
mod work;

pub use builder::{Builder, Progress};
pub use ends::Ends;
pub use keys::TokenizerKeys;
pub use machine::{Fault, Text, Tokenizer};
pub use vocabulary::{Model, TokenKind, Vocabulary};

/// Most bytes of the text of one token.
pub const TOKEN_BYTES_MAX: usize = 1024;
/// Most tokens of a vocabulary: an id fits 20 bits.
pub const TOKENS_MAX: u32 = 1 << 20;
/// Most merges of a vocabulary.
pub const MERGES_MAX: u32 = 1 << 20;
/// What stands for a space in SentencePiece vocabularies: U+2581.
pub(crate) const SPACE: &[u8] = "\u{2581}".as_bytes();
