// SPDX-License-Identifier: GPL-2.0
//! A merge of two tokens.

use crate::gguf::Refusal;
use crate::tokenizer::TOKEN_BYTES_MAX;
use crate::tokenizer::layout::TablesMut;
use crate::tokenizer::vocabulary::{TokenKind, Vocabulary, pair_hash};

use super::token::write_text;
use super::{Builder, inconsistent, slots};

/// Longest merge, in bytes: two texts of tokens and the space between them.
const MERGE_BYTES_MAX: usize = TOKEN_BYTES_MAX * 2 + 1;

impl Builder {
    /// Adds the next merge, unless one of its three texts is no token: such a merge never applies.
    pub(super) fn add_merge(
        &mut self,
        prefix: &[u8],
        tables: &mut TablesMut<'_>,
    ) -> Result<(), Refusal> {
        let rank = self.done;
        let refusal = inconsistent(rank, b"tokenizer.ggml.merges");
        let given = self.next_string(prefix);
        let given = given.filter(|given| given.len() <= MERGE_BYTES_MAX);
        let given = given.ok_or(refusal)?;
        // The separator is the first space after the first byte.
        let rest = given.get(1..).ok_or(refusal)?;
        let length = rest.iter().position(|&byte| byte == b' ').ok_or(refusal)?;
        let (left, right) = rest.split_at_checked(length).ok_or(refusal)?;
        let left = given.get(..left.len() + 1).ok_or(refusal)?;
        let right = right.get(1..).ok_or(refusal)?;
        self.done += 1;
        let Some((left, right, merged)) = self.find_merge(left, right, tables) else {
            return Ok(());
        };
        if Vocabulary::unfinished(tables.view(), self.model)
            .pair(left, right)
            .is_some()
        {
            return Ok(());
        }
        let entry = tables.merges.get_mut(rank as usize).ok_or(refusal)?;
        *entry = [left, right, merged].map(u32::to_le_bytes);
        slots::insert(tables.merge_slots, pair_hash(left, right), rank).ok_or(refusal)
    }

    /// Ids of the two texts and of the two together.
    fn find_merge(
        &self,
        left: &[u8],
        right: &[u8],
        tables: &mut TablesMut<'_>,
    ) -> Option<(u32, u32, u32)> {
        let room = tables.text.get_mut(self.text..)?;
        let kind = TokenKind::Normal;
        let middle = write_text(self.model, kind, left, room)?;
        let end = middle + write_text(self.model, kind, right, room.get_mut(middle..)?)?;
        let view = tables.view();
        let text = view.text.get(self.text..)?;
        let vocabulary = Vocabulary::unfinished(view, self.model);
        let left = vocabulary.find_mergeable(text.get(..middle)?)?;
        let right = vocabulary.find_mergeable(text.get(middle..end)?)?;
        Some((left, right, vocabulary.find_mergeable(text.get(..end)?)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::gguf::Reason;
    use crate::tokenizer::testing::{byte_level, refused, tables};

    #[test]
    fn a_merge_has_an_end() {
        let merge = |length: usize| {
            let text = format!("{} {}", "a".repeat(length), "b".repeat(1024));
            byte_level(&["a"], &[1], &["a a", &text])
        };
        let refusal = (Reason::Vocabulary, 1, "tokenizer.ggml.merges".to_owned());
        assert_eq!(refused(&merge(1025)), refusal);
        tables(&merge(1024));
        let endless = byte_level(&["a"], &[1], &["a a", &"a".repeat(1 << 20)]);
        assert_eq!(refused(&endless), refusal);
    }
}
