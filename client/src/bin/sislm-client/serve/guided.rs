// SPDX-License-Identifier: MIT OR Apache-2.0
//! What answers are guided by: a grammar, or the wish for log-probabilities.

use std::sync::Arc;

use sislm::{Grammar, GrammarTokens, Guidance, Model, ModelName, Vocabulary};

use super::engine::Engine;
use super::error::ApiError;

/// What answers are guided by.
pub(super) struct Guided {
    tokens: Arc<GrammarTokens>,
    /// With the field that asks for it.
    grammar: Option<(Grammar, &'static str)>,
    /// With log-probabilities, and so many of the most likely tokens.
    pub top: Option<u32>,
}

impl Guided {
    /// Of `model`, whose name is `name`; None for free answers without log-probabilities.
    pub(super) fn of(
        engine: &Engine,
        model: &Model,
        name: &ModelName,
        grammar: Option<(Grammar, &'static str)>,
        top: Option<u32>,
    ) -> Result<Option<Self>, ApiError> {
        if grammar.is_none() && top.is_none() {
            return Ok(None);
        }
        let tokens = engine.grammars.tokens(&engine.device, model, name)?;
        Ok(Some(Self {
            tokens,
            grammar,
            top,
        }))
    }

    /// The tokens of the model.
    pub(super) fn vocabulary(&self) -> &Vocabulary {
        self.tokens.vocabulary()
    }

    /// For one answer.
    pub(super) fn guidance(&self) -> Result<Guidance, ApiError> {
        let guide = |(grammar, field): &(Grammar, &'static str)| {
            let guide = self.tokens.guide(grammar);
            guide.map_err(|error| ApiError::field(field, error.to_string()))
        };
        Ok(Guidance {
            vocabulary: self.tokens.vocabulary().clone(),
            guide: self.grammar.as_ref().map(guide).transpose()?,
            top: self.top,
        })
    }
}
