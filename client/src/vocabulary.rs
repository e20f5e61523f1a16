// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tokens of a model.

use crate::uapi::{SISLM_TOKEN_CONTROL, SISLM_TOKEN_UNKNOWN};

/// What each token of a model stands for.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    kinds: Vec<u8>,
    ends: Vec<u32>,
    text: Vec<u8>,
}

impl Vocabulary {
    /// Of what VOCABULARY gives.
    pub(crate) fn new(kinds: Vec<u8>, ends: Vec<u32>, text: Vec<u8>) -> Self {
        Self { kinds, ends, text }
    }

    /// Number of tokens.
    pub fn tokens(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// Whether a token is a mark that is no text.
    pub fn is_control(&self, id: u32) -> bool {
        let kind = self.kinds.get(id as usize).copied().map(u32::from);
        matches!(kind, Some(SISLM_TOKEN_CONTROL | SISLM_TOKEN_UNKNOWN))
    }

    /// The bytes of a token in an answer; none of a mark.
    pub fn text(&self, id: u32) -> &[u8] {
        if self.is_control(id) {
            return &[];
        }
        self.name(id)
    }

    /// The bytes of a token, or the name of a mark.
    pub fn name(&self, id: u32) -> &[u8] {
        let place = id as usize;
        let end = |place: usize| self.ends.get(place).map_or(0, |&end| end as usize);
        let start = place.checked_sub(1).map_or(0, end);
        self.text.get(start..end(place)).unwrap_or(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_bytes() {
        let kinds = vec![3, 1, 6, 2];
        let vocabulary = Vocabulary::new(kinds, vec![4, 6, 7, 12], b"</s>ab\xff<unk>".to_vec());
        assert_eq!(vocabulary.tokens(), 4);
        assert_eq!(vocabulary.name(0), b"</s>");
        assert_eq!(vocabulary.text(0), b"");
        assert_eq!(vocabulary.text(1), b"ab");
        assert_eq!(vocabulary.text(2), b"\xff");
        assert_eq!(vocabulary.text(3), b"");
        assert_eq!(vocabulary.name(4), b"");
    }
}
