// SPDX-License-Identifier: GPL-2.0
//! The symbols of a piece of text, before and after they merge.

use crate::tokenizer::layout::NONE;
use crate::tokenizer::vocabulary::{Model, Vocabulary};
use crate::tokenizer::work::Work;
use crate::tokenizer::{SPACE, utf8};

use super::{Stage, Tokenizer};

impl Tokenizer {
    /// Makes a symbol of the next character or byte.
    pub(super) fn push_symbol(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let rest = text.get(self.at..self.piece_end)?;
        match vocabulary.model() {
            Model::ByteLevel => {
                let &byte = rest.first()?;
                self.merging.push(work, 1, vocabulary.byte_token(byte))?;
                self.at += 1;
            }
            _ => {
                let length = utf8::length(rest);
                let character = rest.get(..length)?;
                let escaped = if character == b" " { SPACE } else { character };
                self.push_escaped(vocabulary, escaped, work)?;
                self.at += length;
            }
        }
        Some(())
    }

    /// Makes a symbol of a character, a space being U+2581.
    pub(super) fn push_escaped(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        character: &[u8],
        work: &mut Work<'_>,
    ) -> Option<()> {
        let room = work.text.get_mut(self.merging.end()..)?;
        room.get_mut(..character.len())?.copy_from_slice(character);
        self.merging
            .push(work, character.len(), vocabulary.find_mergeable(character))
    }

    /// Emits the ids of the next symbol of the piece.
    pub(super) fn emit(&mut self, vocabulary: &Vocabulary<'_>, work: &mut Work<'_>) -> Option<()> {
        let Some((symbol, end)) = self.merging.take(work) else {
            match vocabulary.model() {
                Model::ByteLevel | Model::Characters => self.end_word(),
                _ => self.stage = Stage::Special,
            }
            return Some(());
        };
        if symbol.id != NONE {
            return self.push_id(work, Some(symbol.id));
        }
        let start = symbol.start as usize;
        let bytes = match vocabulary.model() {
            Model::ByteLevel => return self.push_id(work, vocabulary.unknown()),
            _ => work.text.get(start..end)?,
        };
        if bytes
            .iter()
            .any(|&byte| vocabulary.byte_token(byte).is_none())
        {
            return self.push_id(work, vocabulary.unknown());
        }
        for at in start..end {
            let &byte = work.text.get(at)?;
            self.push_id(work, vocabulary.byte_token(byte))?;
        }
        Some(())
    }
}

/// The text that symbols' places count in, and the rest of the workspace.
pub(super) fn split<'a>(
    vocabulary: &Vocabulary<'_>,
    text: &'a [u8],
    work: &'a mut Work<'_>,
) -> (&'a [u8], Work<'a>) {
    let rest = Work {
        ids: work.ids,
        symbols: work.symbols,
        queue: work.queue,
        text: &mut [],
        steps: &mut [],
        sums: &mut [],
    };
    match vocabulary.model() {
        Model::ByteLevel => (text, rest),
        _ => (work.text, rest),
    }
}

#[cfg(test)]
mod tests {
    use crate::tokenizer::testing::{
        self, PIECES, byte_level, byte_level_of, characters, ids, sentence_piece, tables, text,
    };

    /// Lines are apart and newlines a whole, the lowest rank merges first, and characters that are no token
    /// are bytes. Of two tokens with one text the later one counts.
    #[test]
    fn characters_merge_within_lines() {
        let tokens = [
            "<unk>", "<e>", "a", "b", "▁", "\n", "ab", "▁a", "▁ab", "\n\n", "<0xC3>", "<0xA9>",
            "b\n", "x", "x", "bb",
        ];
        let kinds = [2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 6, 6, 1, 1, 1, 1];
        let merges = ["▁ a", "a b", "▁ ab", "b \n"];
        let tables = tables(&characters(&tokens, &kinds, &merges));
        for (sample, expected) in [
            ("a b", &[2, 4, 3][..]),
            ("ab ab", &[6, 7, 3]),
            ("b\n\na", &[3, 9, 2]),
            ("aé", &[2, 10, 11]),
            ("ü", &[0]),
            ("xbb", &[14, 3, 3]),
            ("a<e>a", &[2, 1, 2]),
        ] {
            let found = ids(&tables, sample.as_bytes(), true, true);
            assert_eq!(found, expected, "{sample:?}");
            let shown = sample.replace("<e>", "");
            if !expected.contains(&0) {
                assert_eq!(text(&tables, &found), shown.as_bytes());
            }
        }
    }

    #[test]
    fn characters_without_a_piece_are_bytes_or_unknown() {
        let tables = tables(&sentence_piece(PIECES));
        assert_eq!(ids(&tables, "aéßx".as_bytes(), false, false), [5, 16, 0, 0]);
        assert_eq!(ids(&tables, b"a\xffb", false, false), [5, 0, 6]);
        let names: Vec<String> = (0..256).map(|byte| format!("<0x{byte:02X}>")).collect();
        let mut pieces = PIECES.to_vec();
        pieces.extend(names.iter().map(|name| (&*name.clone().leak(), 6, 0.0)));
        let with_bytes = testing::tables(&sentence_piece(&pieces));
        let first = PIECES.len() as u32;
        let ids = |text: &[u8]| ids(&with_bytes, text, false, false);
        assert_eq!(ids("ß".as_bytes()), [first + 0xc3, first + 0x9f]);
        assert_eq!(ids(b"\xff\x00"), [first + 0xff, first]);
        assert!(!ids(b"<0x41>").contains(&(first + 0x41)));
        assert!(!ids(b"<0x0A>").contains(&(first + 0x0a)));
    }

    #[test]
    fn byte_level_merges_by_rank_within_words() {
        let tokens = [
            "a", "b", "Ġ", "ab", "Ġa", "Ġab", "aa", "<end>", "Ã", "©", "Ã©", "a b",
        ];
        let kinds = [1, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 4];
        let merges = ["Ġ a", "a b", "Ġa b", "a a", "x y", "Ã ©", "a b"];
        let tables = tables(&byte_level(&tokens, &kinds, &merges));
        let ids = |text: &str, control| ids(&tables, text.as_bytes(), true, control);
        assert_eq!(ids("ab ab", false), [3, 5]);
        assert_eq!(ids("aaa", false), [6, 0]);
        assert_eq!(ids("é", false), [10]);
        // The vocabulary has neither a token for x nor an unknown one.
        assert_eq!(ids("axb", false), [0, 1]);
        assert_eq!(ids("a<end>b", true), [0, 7, 1]);
        assert_eq!(ids("a<end>b", false), [0, 1]);
        assert_eq!(ids("aa b", false), [0, 11]);
        let named = byte_level(&tokens, &kinds, &merges).u32("tokenizer.ggml.unknown_token_id", 7);
        let named = testing::tables(&named);
        assert_eq!(testing::ids(&named, b"axb", true, false), [0, 7, 1]);
    }

    #[test]
    fn a_whole_word_goes_before_merges_where_the_pre_tokenizer_says_so() {
        let tokens = ["a", "b", "c", "bc", "abc", "<s>"];
        let file = |pre: &str| {
            let kinds = [1, 1, 1, 1, 1, 3];
            byte_level_of(pre, &tokens, &kinds, &["b c"]).u32("tokenizer.ggml.bos_token_id", 5)
        };
        let ids = |pre: &str, text: &[u8]| ids(&tables(&file(pre)), text, true, false);
        assert_eq!(ids("qwen2", b"abc"), [0, 3]);
        assert_eq!(ids("minicpm5", b"abc"), [4]);
        assert_eq!(ids("minicpm5", b"abca"), [0, 3, 0]);
        // No merge and no whole word makes a mark of text.
        assert_eq!(ids("minicpm5", b"<s>"), []);
        // Without a word in the file, the name says whether BOS comes first.
        assert_eq!(ids("tekken", b"abcabc"), [5, 0, 3, 0, 3]);
        let without = file("tekken").bool("tokenizer.ggml.add_bos_token", false);
        let without = testing::tables(&without);
        assert_eq!(testing::ids(&without, b"abc", true, false), [4]);
    }
}
