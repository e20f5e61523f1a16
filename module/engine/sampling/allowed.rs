// SPDX-License-Identifier: GPL-2.0
//! Which tokens may be drawn, where a caller says so: a bit for each token of the vocabulary.

/// Tokens of a word.
const WORD: usize = u32::BITS as usize;

/// The tokens that may be drawn: all, or those whose bit is set.
#[derive(Clone, Copy)]
pub struct Allowed<'a>(Option<&'a [u32]>);

impl<'a> Allowed<'a> {
    /// All.
    pub(crate) const ALL: Self = Self(None);

    /// Token i by bit i % 32 of word i / 32; none past the last word.
    pub(crate) fn new(words: &'a [u32]) -> Self {
        Self(Some(words))
    }

    /// Whether `id` is one of them.
    pub(super) fn contains(self, id: u32) -> bool {
        self.run(id, 1, true) == 1
    }

    /// How many tokens from `first` on, at most `most`, are all allowed, or none of them, as `allowed`
    /// says.
    pub(super) fn run(self, first: u32, most: usize, allowed: bool) -> usize {
        let Some(words) = self.0 else {
            return if allowed { most } else { 0 };
        };
        let mut count = 0usize;
        while count < most {
            let id = (first as usize).saturating_add(count);
            let word = words.get(id / WORD).copied().unwrap_or(0);
            let others = if allowed { !word } else { word } >> (id % WORD);
            let left = WORD.saturating_sub(id % WORD);
            let same = (others.trailing_zeros() as usize).min(left);
            count = count.saturating_add(same);
            if same < left {
                break;
            }
        }
        count.min(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_across_words_and_end_where_they_should() {
        let words = [0xffff_0000, 0xffff_ffff, 0x0000_0001, 0];
        let allowed = Allowed::new(&words);
        assert_eq!(allowed.run(0, 999, false), 16);
        assert_eq!(allowed.run(0, 999, true), 0);
        assert_eq!(allowed.run(16, 999, true), 49);
        assert_eq!(allowed.run(16, 20, true), 20);
        assert_eq!(allowed.run(65, 999, false), 999);
        assert_eq!(allowed.run(200, 7, true), 0);
        assert!(allowed.contains(64) && !allowed.contains(65) && !allowed.contains(u32::MAX));
    }

    #[test]
    fn each_token_is_as_its_bit_says() {
        let words = [0xdead_beef, 0x0123_4567];
        let allowed = Allowed::new(&words);
        for id in 0..64 {
            let bit = words[id as usize / 32] >> (id % 32) & 1 == 1;
            assert_eq!(allowed.contains(id), bit);
            assert!(Allowed::ALL.contains(id));
        }
    }
}
