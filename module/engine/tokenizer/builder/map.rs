// SPDX-License-Identifier: GPL-2.0
//! The map of characters of a Unigram vocabulary.

use crate::gguf::Refusal;
use crate::tokenizer::character_map::CharacterMap;
use crate::tokenizer::keys::CHARACTER_MAP;
use crate::tokenizer::layout::TablesMut;

use super::{Builder, inconsistent};

/// Bytes that are copied for one of the budget.
const COPIED: u32 = 256;

impl Builder {
    /// Copies the next bytes of the map, and checks as many of its units.
    pub(super) fn copy_map(
        &mut self,
        prefix: &[u8],
        tables: &mut TablesMut<'_>,
    ) -> Result<(), Refusal> {
        let given = self.keys.character_map.map(|map| map.of(prefix));
        let given = given.unwrap_or_default();
        let unsound = |number| inconsistent(number, CHARACTER_MAP);
        let map = CharacterMap::new(given).ok_or(unsound(0))?;
        let end = self.done.saturating_add(COPIED).min(self.layout.map_bytes);
        let range = self.done as usize..end as usize;
        let from = given.get(range.clone()).ok_or(unsound(0))?;
        let to = tables.map.get_mut(range).ok_or(unsound(0))?;
        to.copy_from_slice(from);
        // There are four bytes to a unit.
        for unit in self.done >> 2..end.div_ceil(4) {
            if !map.is_sound(unit as usize) {
                return Err(unsound(unit));
            }
        }
        self.done = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::gguf::Reason;
    use crate::tokenizer::testing::{UNIGRAM, character_map, refused, tables, unigram, with_map};

    #[test]
    fn a_map_whose_parts_do_not_fit_is_refused() {
        let refusal = |unit| {
            let key = "tokenizer.ggml.precompiled_charsmap".to_owned();
            (Reason::Vocabulary, unit, key)
        };
        let sound = character_map(&[("①", "1"), ("ﬁ", "fi")]);
        tables(&with_map(unigram(UNIGRAM), &sound));
        let units = u32::from_le_bytes(sound[..4].try_into().expect("four bytes"));
        for (at, byte) in [(sound.len() - 1, b'x'), (0, 1), (3, 0x7f)] {
            let mut bytes = sound.clone();
            bytes[at] = byte;
            assert_eq!(refused(&with_map(unigram(UNIGRAM), &bytes)), refusal(0));
        }
        for short in 1..5 {
            assert_eq!(
                refused(&with_map(unigram(UNIGRAM), &sound[..short])),
                refusal(0)
            );
        }
        let value = (0..units / 4)
            .find(|unit| sound[4 * *unit as usize + 7] >> 7 == 1)
            .expect("a text");
        let mut bytes = sound;
        bytes[4 * value as usize + 5] = 0xff;
        assert_eq!(
            refused(&with_map(unigram(UNIGRAM), &bytes)),
            refusal(u64::from(value))
        );
    }
}
