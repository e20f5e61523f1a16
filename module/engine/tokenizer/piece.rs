// SPDX-License-Identifier: GPL-2.0
//! The text of one token.

use super::vocabulary::{Model, TokenKind, Vocabulary};
use super::{SPACE, byte_name};

impl Vocabulary<'_> {
    /// Writes the text of token `id` to `text` and gives its length, at most `TOKEN_BYTES_MAX`.
    /// Control, unknown and unused tokens have none. `first`: the token is the first of a text, so
    /// the space that the tokenizer put before it is removed.
    ///
    /// Returns `None` when `text` is too short.
    pub fn piece(&self, id: u32, first: bool, text: &mut [u8]) -> Option<usize> {
        let stored = self.text(id);
        let first = first && (self.adds_space() || self.model() == Model::WordPiece);
        match (self.kind(id), self.model()) {
            (TokenKind::UserDefined, _) | (TokenKind::Normal, Model::ByteLevel) => copy(
                stored
                    .strip_prefix(b" ")
                    .filter(|_| first)
                    .unwrap_or(stored),
                text,
            ),
            (TokenKind::Normal, _) => {
                let rest = stored.strip_prefix(SPACE).or(stored.strip_prefix(b" "));
                unescape(rest.filter(|_| first).unwrap_or(stored), text)
            }
            (TokenKind::Byte, _) => {
                let byte = byte_name::byte_of(stored).unwrap_or_default();
                if first && byte == b' ' {
                    Some(0)
                } else {
                    copy(&[byte], text)
                }
            }
            _ => Some(0),
        }
    }

    /// Writes the name of token `id`, by which a text that is searched for control tokens means it, to
    /// `text` and gives its length; `None` when `text` is too short.
    pub fn name(&self, id: u32, text: &mut [u8]) -> Option<usize> {
        copy(self.text(id), text)
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

#[cfg(test)]
mod tests {
    use super::super::testing::{PIECES, byte_level, ids, sentence_piece, tables, text};
    use super::*;

    #[test]
    fn what_was_tokenized_comes_back() {
        let names: Vec<String> = (0..256).map(|byte| format!("<0x{byte:02X}>")).collect();
        let mut pieces = PIECES.to_vec();
        pieces.extend(names.iter().map(|name| (&*name.clone().leak(), 6, 0.0)));
        let tables = tables(&sentence_piece(&pieces));
        for sample in ["abc a", " a", "  a  ", "", "é🦙 ß", "a\u{0}b", "<0x41>"] {
            let ids = ids(&tables, sample.as_bytes(), true, false);
            assert_eq!(text(&tables, &ids[1..]), sample.as_bytes(), "{sample:?}");
        }
        let invalid = b"a\xf0\x9f b\xff";
        assert_eq!(
            text(&tables, &ids(&tables, invalid, true, false)[1..]),
            invalid
        );
    }

    #[test]
    fn only_text_has_text() {
        let tables = tables(&sentence_piece(PIECES));
        assert_eq!(text(&tables, &[0, 1, 2]), b"");
        assert_eq!(text(&tables, &[10, 10, 3, 17]), b"a a\n<pad>");
        assert_eq!(text(&tables, &[4, 10]), b" a");
        assert_eq!(text(&tables, &[u32::MAX, 999]), b"");
        let bytes = super::super::testing::tables(&byte_level(
            &["ĠÃ", "©", "<e>", "Ċ"],
            &[1, 1, 3, 5],
            &[],
        ));
        assert_eq!(text(&bytes, &[0, 1, 2, 3]), " é".as_bytes());
    }

    #[test]
    fn a_short_buffer_takes_nothing() {
        let tables = tables(&sentence_piece(PIECES));
        let vocabulary = Vocabulary::view(&tables).expect("finished tables");
        assert_eq!(vocabulary.piece(11, false, &mut [0; 2]), None);
        assert_eq!(vocabulary.piece(11, false, &mut [0; 3]), Some(3));
    }
}
