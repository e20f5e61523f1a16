// SPDX-License-Identifier: GPL-2.0
//! Text that repetitions do not reach across, such as a line end.

use super::Budget;
use crate::abi::{BREAKER_BYTES, BREAKERS_MAX, Samplers};
use crate::tokenizer::Vocabulary;

/// The strings that break a sequence, and the texts of the tokens they are looked for in.
#[derive(Clone, Copy)]
pub struct Breakers<'a> {
    samplers: &'a Samplers,
    vocabulary: Vocabulary<'a>,
}

impl<'a> Breakers<'a> {
    /// The strings of checked samplers.
    pub fn new(samplers: &'a Samplers, vocabulary: Vocabulary<'a>) -> Self {
        Self {
            samplers,
            vocabulary,
        }
    }

    /// Whether the strings are 1 to [`BREAKER_BYTES`] bytes long, and all else is zero.
    pub fn are_sound(samplers: &Samplers) -> bool {
        let strings = samplers.breaker_length.iter().zip(&samplers.breaker);
        let mut sound = samplers.breaker_count as usize <= BREAKERS_MAX;
        for (index, (&length, bytes)) in strings.enumerate() {
            let used = index < samplers.breaker_count as usize;
            let rest = bytes.get(length as usize..);
            sound &= (length != 0) == used;
            sound &= rest.is_some_and(|rest| rest.iter().all(|byte| *byte == 0));
        }
        sound
    }

    fn strings(&self) -> impl Iterator<Item = &'a [u8]> {
        let strings = self.samplers.breaker_length.iter();
        let strings = strings.zip(&self.samplers.breaker);
        strings
            .take(self.samplers.breaker_count as usize)
            .filter_map(|(&length, bytes)| bytes.get(..length as usize))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samplers.breaker_count == 0
    }

    /// Whether a string ends in the text of `token`, which follows those of `before`; `text` has room
    /// for any token's. Costs about a unit for each comparison.
    pub(crate) fn end_in(
        &self,
        before: &[u32],
        token: u32,
        text: &mut [u8],
        budget: &mut Budget,
    ) -> bool {
        let longest = self.strings().map(<[u8]>::len).max().unwrap_or(0);
        let tail = Tail::new(before, longest.saturating_sub(1), self.vocabulary, text);
        let length = self.vocabulary.piece(token, false, text).unwrap_or(0);
        let text = text.get(..length).unwrap_or(&[]);
        let strings = self.samplers.breaker_count as usize;
        budget.spend(length.saturating_mul(strings).saturating_add(longest));
        self.strings().any(|string| {
            (1..=length).any(|end| {
                let head = text.get(..end).unwrap_or(&[]);
                ends_with(tail.bytes(), head, string)
            })
        })
    }
}

/// Whether `first` and `second`, one after the other, end with `string`.
fn ends_with(first: &[u8], second: &[u8], string: &[u8]) -> bool {
    match string.len().checked_sub(second.len()) {
        None | Some(0) => second.ends_with(string),
        Some(left) => {
            let (head, tail) = string.split_at_checked(left).unwrap_or((string, &[]));
            second == tail && first.ends_with(head)
        }
    }
}

/// The end of a text of tokens.
struct Tail {
    bytes: [u8; BREAKER_BYTES],
    start: usize,
}

impl Tail {
    /// The last `wanted` bytes of the text of the last tokens, of which some have none.
    fn new(tokens: &[u32], wanted: usize, vocabulary: Vocabulary<'_>, text: &mut [u8]) -> Self {
        let mut tail = Self {
            bytes: [0; BREAKER_BYTES],
            start: BREAKER_BYTES,
        };
        for &token in tokens.iter().rev().take(BREAKER_BYTES) {
            let left = wanted.saturating_sub(tail.bytes().len());
            if left == 0 {
                break;
            }
            let length = vocabulary.piece(token, false, text).unwrap_or(0);
            let taken = length.min(left);
            let from = text.get(length.saturating_sub(taken)..length);
            let start = tail.start.saturating_sub(taken);
            if let (Some(to), Some(from)) = (tail.bytes.get_mut(start..tail.start), from)
                && to.len() == from.len()
            {
                to.copy_from_slice(from);
                tail.start = start;
            }
        }
        tail
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::testing::{PIECES, sentence_piece, tables};

    /// Samplers with these strings.
    fn with(strings: &[&[u8]]) -> Samplers {
        let mut samplers = Samplers::OFF;
        samplers.breaker_count = strings.len() as u32;
        for (index, string) in strings.iter().enumerate() {
            samplers.breaker_length[index] = string.len() as u32;
            samplers.breaker[index][..string.len()].copy_from_slice(string);
        }
        samplers
    }

    #[test]
    fn strings_are_found_in_tokens_and_across_them() {
        // 3 is a line end, 5 to 7 are a, b, c, 8 is ab, 11 abc.
        let tables = tables(&sentence_piece(PIECES));
        let vocabulary = Vocabulary::view(&tables).unwrap();
        let found = |strings: &[&[u8]], before: &[u32], token| {
            let samplers = with(strings);
            assert!(Breakers::are_sound(&samplers));
            let breakers = Breakers::new(&samplers, vocabulary);
            let mut budget = Budget::new(u32::MAX);
            breakers.end_in(before, token, &mut [0; 1024], &mut budget)
        };
        assert!(found(&[b"\n"], &[5], 3));
        assert!(!found(&[b"\n"], &[3], 5));
        assert!(found(&[b"x", b"b"], &[], 11), "inside a token");
        assert!(found(&[b"ab"], &[5], 6), "across two");
        assert!(found(&[b"abc"], &[3, 5, 6], 7), "across three");
        assert!(found(&[b"ab"], &[5], 6) && !found(&[b"ab"], &[], 6));
        assert!(found(&[b"bca"], &[8, 7], 11), "in the middle of the last");
        assert!(!found(&[b"abc"], &[8, 7], 5), "that ended before");
        assert!(!found(&[b"cc"], &[7, 0], 5));
        assert!(found(&[b"cc"], &[7, 1], 7), "a control token has no text");
        assert!(!found(&[], &[5], 6));
        let long = b"a".repeat(BREAKER_BYTES);
        assert!(found(&[&long], &[5; 40], 5) && !found(&[&long], &[5; 30], 5));
    }

    #[test]
    fn unsound_strings_are_told_apart() {
        let sound = with(&[b"a", b"bc"]);
        assert!(Breakers::are_sound(&sound) && Breakers::are_sound(&Samplers::OFF));
        let changes: [fn(&mut Samplers); 6] = [
            |s| s.breaker_count = BREAKERS_MAX as u32 + 1,
            |s| s.breaker_count = 1,
            |s| s.breaker_count = 3,
            |s| s.breaker_length[0] = BREAKER_BYTES as u32 + 1,
            |s| s.breaker_length[1] = 1,
            |s| s.breaker[7][31] = 1,
        ];
        for change in changes {
            let mut samplers = sound;
            change(&mut samplers);
            assert!(!Breakers::are_sound(&samplers));
        }
    }
}
