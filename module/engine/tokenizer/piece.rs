// SPDX-License-Identifier: GPL-2.0
//! The text of one token.

use super::vocabulary::{Model, TokenKind, Vocabulary};
use super::{SPACE, builder};

impl Vocabulary<'_> {
    /// Writes the text of token `id` to `text` and gives its length, at most `TOKEN_BYTES_MAX`.
    /// Control, unknown and unused tokens have none. `first`: the token is the first of a text, so
    /// the space that the tokenizer put before it is removed.
    ///
    /// Returns `None` when `text` is too short; then nothing is lost but the call.
    pub fn piece(&self, id: u32, first: bool, text: &mut [u8]) -> Option<usize> {
        let stored = self.text(id);
        let first = first && self.adds_space();
        match (self.kind(id), self.model()) {
            (TokenKind::UserDefined, _) | (TokenKind::Normal, Model::ByteLevel) => {
                copy(stored.strip_prefix(b" ").filter(|_| first).unwrap_or(stored), text)
            }
            (TokenKind::Normal, Model::SentencePiece) => {
                let rest = stored.strip_prefix(SPACE).or(stored.strip_prefix(b" "));
                unescape(rest.filter(|_| first).unwrap_or(stored), text)
            }
            (TokenKind::Byte, Model::SentencePiece) => {
                let byte = builder::byte_of(stored).unwrap_or_default();
                if first && byte == b' ' { Some(0) } else { copy(&[byte], text) }
            }
            _ => Some(0),
        }
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> Option<usize> {
    to.get_mut(..from.len())?.copy_from_slice(from);
    Some(from.len())
}

/// Copies with a space for each U+2581.
fn unescape(mut from: &[u8], to: &mut [u8]) -> Option<usize> {
    let mut length = 0;
    while let Some((&byte, rest)) = from.split_first() {
        let after = from.strip_prefix(SPACE);
        *to.get_mut(length)? = if after.is_some() { b' ' } else { byte };
        from = after.unwrap_or(rest);
        length += 1;
    }
    Some(length)
}
