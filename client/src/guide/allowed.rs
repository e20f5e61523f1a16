// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which tokens may come next.

use std::fmt;

use llguidance::Matcher;

use super::GrammarError;

/// Bits of a word of a mask.
const WORD: u32 = u32::BITS;

/// What may come next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Nothing: the answer is whole.
    Nothing,
    /// This token alone.
    Only(u32),
    /// Those whose bit is set, that of token i being bit i % 32 of entry i / 32.
    Mask(Vec<u32>),
}

/// Follows an answer, token by token.
pub struct Guide {
    matcher: Matcher,
    tokens: u32,
    ends: Vec<u32>,
}

impl fmt::Debug for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guide").finish_non_exhaustive()
    }
}

impl Guide {
    /// Of a matcher whose token `tokens` stands for the end, which the tokens `ends` of the model make.
    pub(super) fn new(matcher: Matcher, tokens: u32, ends: &[u32]) -> Self {
        Self {
            matcher,
            tokens,
            ends: ends.to_vec(),
        }
    }

    /// What may come next.
    ///
    /// # Errors
    ///
    /// [`GrammarError`] when nothing can, or the grammar takes too long.
    pub fn allowed(&mut self) -> Result<Allowed, GrammarError> {
        let set = self.matcher.compute_mask_or_eos();
        let set = set.map_err(|error| GrammarError::new(&error))?;
        let mut mask = set.as_slice().to_vec();
        mask.resize(self.tokens.div_ceil(WORD) as usize + 1, 0);
        let may_end = has(&mask, self.tokens);
        clear(&mut mask, self.tokens);
        mask.truncate(self.tokens.div_ceil(WORD) as usize);
        let mut count: u32 = mask.iter().map(|word| word.count_ones()).sum();
        if count == 0 {
            return Ok(Allowed::Nothing);
        }
        if may_end {
            for &id in &self.ends {
                count += u32::from(!has(&mask, id));
                set_bit(&mut mask, id);
            }
        }
        if count == 1 {
            let only = (0..self.tokens).find(|&id| has(&mask, id));
            return Ok(only.map_or(Allowed::Nothing, Allowed::Only));
        }
        Ok(Allowed::Mask(mask))
    }

    /// Takes the token that came, which was allowed. Whether it ends the answer.
    ///
    /// # Errors
    ///
    /// [`GrammarError`]
    pub fn take(&mut self, id: u32) -> Result<bool, GrammarError> {
        if self.ends.contains(&id) {
            return Ok(true);
        }
        let taken = self.matcher.consume_token(id);
        taken.map_err(|error| GrammarError::new(&error))?;
        Ok(false)
    }

    /// A token that ends an answer of the model; None when it has none.
    pub(super) fn end(&self) -> Option<u32> {
        self.ends.first().copied()
    }
}

fn has(mask: &[u32], id: u32) -> bool {
    let word = mask.get((id / WORD) as usize);
    word.is_some_and(|word| word >> (id % WORD) & 1 != 0)
}

fn set_bit(mask: &mut [u32], id: u32) {
    if let Some(word) = mask.get_mut((id / WORD) as usize) {
        *word |= 1 << (id % WORD);
    }
}

fn clear(mask: &mut [u32], id: u32) {
    if let Some(word) = mask.get_mut((id / WORD) as usize) {
        *word &= !(1 << (id % WORD));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::guide::{Grammar, GrammarTokens};
    use crate::Vocabulary;

    /// Letters and marks of JSON, and some of more than one letter; the last one ends an answer.
    fn tokens(ends: &[u32]) -> GrammarTokens {
        let words = [
            "a", "b", "ab", "{", "}", "\"", "\"a\"", ": ", ":", " ", "1", "23", "true", ",", "</s>",
        ];
        let text: Vec<u8> = words.concat().into_bytes();
        let mut end = 0;
        let places = words.map(|word| {
            end += u32::try_from(word.len()).unwrap();
            end
        });
        let mut kinds = vec![1; words.len()];
        kinds[words.len() - 1] = 3;
        let vocabulary = Vocabulary::new(kinds, places.to_vec(), text);
        GrammarTokens::new(Arc::new(vocabulary), ends).unwrap()
    }

    fn ids(allowed: &Allowed) -> Vec<u32> {
        match allowed {
            Allowed::Nothing => vec![],
            Allowed::Only(id) => vec![*id],
            Allowed::Mask(mask) => (0..15).filter(|&id| has(mask, id)).collect(),
        }
    }

    #[test]
    fn a_regular_expression_is_followed_to_its_end() {
        let tokens = tokens(&[14]);
        let mut guide = tokens.guide(&Grammar::Regex("a(ba)*".into())).unwrap();
        assert_eq!(ids(&guide.allowed().unwrap()), [0, 2]);
        assert!(!guide.take(2).unwrap());
        assert_eq!(ids(&guide.allowed().unwrap()), [0, 2]);
        assert!(!guide.take(0).unwrap());
        assert_eq!(ids(&guide.allowed().unwrap()), [1, 14]);
        assert!(guide.take(14).unwrap());
    }

    #[test]
    fn a_model_that_has_no_end_goes_on_while_it_can() {
        let tokens = tokens(&[]);
        let mut guide = tokens.guide(&Grammar::Regex("ab?".into())).unwrap();
        assert_eq!(ids(&guide.allowed().unwrap()), [0, 2]);
        guide.take(0).unwrap();
        assert_eq!(guide.allowed().unwrap(), Allowed::Only(1));
        guide.take(1).unwrap();
        assert_eq!(guide.allowed().unwrap(), Allowed::Nothing);
    }

    #[test]
    fn json_has_one_space_where_it_has_any() {
        let schema = json!({
            "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"],
            "additionalProperties": false,
        });
        let tokens = tokens(&[14]);
        let mut guide = tokens.guide(&Grammar::JsonSchema(schema)).unwrap();
        for id in [3, 6, 7, 10] {
            let allowed = guide.allowed().unwrap();
            assert!(ids(&allowed).contains(&id), "{id}: {allowed:?}");
            guide.take(id).unwrap();
        }
        assert_eq!(ids(&guide.allowed().unwrap()), [4, 10, 11]);
        guide.take(4).unwrap();
        assert_eq!(guide.allowed().unwrap(), Allowed::Nothing);
    }

    #[test]
    fn what_is_no_grammar_is_refused_in_a_sentence() {
        let tokens = tokens(&[14]);
        for grammar in [
            Grammar::Regex("a(".into()),
            Grammar::Lark("begin: \"a\"".into()),
            Grammar::JsonSchema(json!({ "type": "nothing" })),
        ] {
            let error = tokens.guide(&grammar).unwrap_err().to_string();
            assert!(error.starts_with("no answer can be made"), "{error}");
            assert!(!error.contains('\n'));
        }
    }
}
