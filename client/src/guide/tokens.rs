// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tokens of a model as grammars need them.

use std::fmt;
use std::sync::Arc;

use llguidance::toktrie::{ApproximateTokEnv, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};

use super::{Grammar, GrammarError, Guide};
use crate::Vocabulary;

/// Longest token that a grammar can draw, in bytes.
const TOKEN_BYTES: usize = 255;
/// The first byte of what is no text.
const MARK: u8 = 0xff;

/// The tokens of a model, and those that end its answers; made once for all grammars.
pub struct GrammarTokens {
    factory: ParserFactory,
    vocabulary: Arc<Vocabulary>,
    ends: Vec<u32>,
}

impl fmt::Debug for GrammarTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrammarTokens")
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}

impl GrammarTokens {
    /// Of a vocabulary, of which the tokens `ends` end an answer.
    ///
    /// # Errors
    ///
    /// [`GrammarError`] for a vocabulary that grammars cannot be used with.
    pub fn new(vocabulary: Arc<Vocabulary>, ends: &[u32]) -> Result<Self, GrammarError> {
        let mut words: Vec<Vec<u8>> = (0..vocabulary.tokens())
            .map(|id| match ends.contains(&id) {
                // An answer that has one is over.
                true => Vec::new(),
                false => word(&vocabulary, id),
            })
            .collect();
        // The end is a token of its own behind all others: a model may have several, or none.
        words.push([&[MARK], &b"<end>"[..]].concat());
        let info = TokRxInfo::new(vocabulary.tokens().saturating_add(1), vocabulary.tokens());
        let trie = TokTrie::from(&info, &words);
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory =
            ParserFactory::new_simple(&environment).map_err(|error| GrammarError::new(&error))?;
        factory.quiet();
        Ok(Self {
            factory,
            vocabulary,
            ends: ends.to_vec(),
        })
    }

    /// The tokens.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// What guides one answer by `grammar`.
    ///
    /// # Errors
    ///
    /// [`GrammarError`] when it is none, or can have no answer.
    pub fn guide(&self, grammar: &Grammar) -> Result<Guide, GrammarError> {
        let parser = self.factory.create_parser(grammar.to_parser());
        let parser = parser.map_err(|error| GrammarError::new(&error))?;
        let matcher = Matcher::new(Ok(parser));
        Ok(Guide::new(matcher, self.vocabulary.tokens(), &self.ends))
    }
}

/// A token's bytes; none for one that no grammar may draw.
fn word(vocabulary: &Vocabulary, id: u32) -> Vec<u8> {
    let text = vocabulary.text(id);
    match text.len() <= TOKEN_BYTES && text.first() != Some(&MARK) {
        true => text.to_vec(),
        false => Vec::new(),
    }
}
