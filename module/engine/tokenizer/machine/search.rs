// SPDX-License-Identifier: GPL-2.0
//! The search for special tokens, which cut a text into fragments.

use crate::abi::Literal;
use crate::tokenizer::vocabulary::Vocabulary;

use super::{Stage, Tokenizer};

impl Tokenizer {
    /// Looks for special tokens from byte `at` on.
    pub(super) fn begin_search(&mut self, space: bool, at: usize) {
        self.space = space;
        self.at = at;
        self.fragment_end = at;
        self.stage = Stage::Search { most: usize::MAX };
    }

    /// Bytes from the place of the search on within which control tokens are parsed.
    pub(super) fn control_reach(&mut self, literal: &[Literal]) -> usize {
        if !self.control {
            return 0;
        }
        let at = self.fragment_end as u64;
        while let Some(part) = literal.get(self.literals) {
            if at < u64::from(part.offset) + u64::from(part.length) {
                return (part.offset as usize).saturating_sub(self.fragment_end);
            }
            self.literals += 1;
        }
        usize::MAX
    }

    /// Tries one length at one place; a control token has at most `reach` bytes.
    pub(super) fn search(
        &mut self,
        vocabulary: &Vocabulary<'_>,
        text: &[u8],
        most: usize,
        reach: usize,
    ) {
        let rest = text.get(self.fragment_end..).unwrap_or_default();
        let (special, length) = vocabulary.find_special(rest, most, reach);
        self.special = special.map(|id| (id, self.fragment_end.saturating_add(length)));
        if special.is_some() || rest.is_empty() {
            self.stage = Stage::Fragment;
        } else if length > 1 {
            self.stage = Stage::Search { most: length - 1 };
        } else {
            self.fragment_end += 1;
            self.stage = Stage::Search { most: usize::MAX };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::abi::Literal;
    use crate::tokenizer::testing::{self, PIECES, ids, ids_of_parts, sentence_piece, tables};

    #[test]
    fn text_begins_anew_after_an_added_token() {
        let mut pieces = PIECES.to_vec();
        pieces.push(("<mark>", 4, -1000.0));
        let mark = PIECES.len() as u32;
        let file = sentence_piece(&pieces);
        let tables = testing::tables(&file);
        let found = |text: &[u8]| ids(&tables, text, true, false);
        assert_eq!(found(b"<mark>a"), [1, mark, 10]);
        assert_eq!(found(b"a<mark><mark>ab"), [1, 10, mark, mark, 4, 8]);
        assert_eq!(found(b"<mark>\na"), [1, mark, 3, 5]);
        assert_eq!(ids(&tables, b"a<mark>a", false, false), [5, mark, 10]);
        let plain = file.bool("tokenizer.ggml.add_space_prefix", false);
        let plain = testing::tables(&plain);
        assert_eq!(ids(&plain, b"<mark>a", true, false), [1, mark, 5]);
    }

    #[test]
    fn control_tokens_are_parsed_only_when_asked() {
        let tables = tables(&sentence_piece(PIECES));
        assert_eq!(ids(&tables, b"<s>a", false, true), [1, 10]);
        // "<s" and ">" are there, and would make the control token.
        assert_eq!(ids(&tables, b"<s>a", false, false), [15, 14, 5]);
        assert_eq!(ids(&tables, b"<unk>", false, true), [0]);
        // As long as the user-defined <pad>, so that it is looked up.
        let unknown = ids(&tables, b"<unk>", false, false);
        assert_eq!(unknown, [12, 0, 0, 0, 14]);
    }

    #[test]
    fn no_control_token_begins_in_or_reaches_into_a_literal_part() {
        let tables = tables(&sentence_piece(PIECES));
        let ids = |text: &str, parts: &[(u32, u32)]| {
            let literal: Vec<Literal> = parts
                .iter()
                .map(|&(offset, length)| Literal { offset, length })
                .collect();
            ids_of_parts(&tables, text.as_bytes(), &literal)
        };
        let (control, plain) = ([1], [15, 14]);
        assert_eq!(ids("<s>", &[]), control);
        // Each of its bytes, alone or with others, before and behind.
        for part in [(0, 1), (1, 1), (2, 1), (0, 3), (1, 9), (0, u32::MAX)] {
            assert_eq!(ids("<s>", &[part]), plain, "{part:?}");
        }
        assert_eq!(ids("<s><s>", &[(3, 3)]), [1, 4, 15, 14]);
        assert_eq!(ids("<s><s>", &[(0, 3)]), [15, 14, 1]);
        assert_eq!(ids("<s><s><s>", &[(3, 3)]), [1, 4, 15, 14, 1]);
        assert_eq!(
            ids("<s>a<s>a<s>", &[(0, 3), (8, 3)]),
            [15, 14, 5, 1, 10, 15, 14]
        );
        // Text goes on across the ends of a part: ab is one token.
        assert_eq!(ids("ab<s>", &[(1, 1)]), [8, 1]);
        assert_eq!(ids("ab<s>", &[(0, 1)]), [8, 1]);
        // User-defined tokens are text of their own anywhere.
        assert_eq!(ids("<pad><s>", &[(0, 6)]), [17, 15, 14]);
        assert_eq!(ids("<unk>", &[(4, 1)]), [12, 0, 0, 0, 14]);
    }

    #[test]
    fn a_set_of_special_tokens_has_no_others_in_it() {
        // Without the user-defined <pad> nothing of five bytes is looked for.
        let pieces: Vec<_> = PIECES
            .iter()
            .filter(|piece| !piece.0.contains("pad"))
            .copied()
            .collect();
        let tables = testing::tables(&sentence_piece(&pieces));
        assert_eq!(ids(&tables, b"<unk>", false, true), [0]);
        assert_eq!(ids(&tables, b"<unk>", false, false), [12, 0, 0, 0, 14]);
        assert_eq!(ids(&tables, b"a<s>b", false, false), [5, 15, 14, 6]);
    }

    #[test]
    fn user_defined_tokens_are_always_parsed_the_longest_first() {
        let tables = tables(&sentence_piece(PIECES));
        let ids = |text: &str| ids(&tables, text.as_bytes(), true, false);
        assert_eq!(ids("a\nb"), [1, 10, 3, 6]);
        assert_eq!(ids("\nb"), [1, 3, 6]);
        assert_eq!(ids("\n\n"), [1, 3, 3]);
        assert_eq!(ids("<pad>"), [1, 17]);
        assert_eq!(ids("<pad><pad><pad>"), [1, 18, 17]);
        assert_eq!(ids("<pa"), [1, 4, 12, 0, 5]);
    }
}
