// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens of models as grammars and log-probabilities need them, kept from request to request.

use std::sync::{Arc, Mutex, PoisonError};

use sislm::{Device, Digest, GrammarTokens, Model, ModelName};

use super::error::ApiError;

/// Models whose tokens are kept.
const KEPT: usize = 4;

/// The last ones used, the latest first.
#[derive(Default)]
pub(super) struct Grammars(Mutex<Vec<(Digest, Arc<GrammarTokens>)>>);

impl Grammars {
    /// Those of `model`, whose name is `name`.
    pub(super) fn tokens(
        &self,
        device: &Device,
        model: &Model,
        name: &ModelName,
    ) -> Result<Arc<GrammarTokens>, ApiError> {
        let digest = model.digest();
        let found = {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let place = kept.iter().position(|(of, _)| *of == digest);
            place.map(|place| {
                let used = kept.remove(place);
                let tokens = used.1.clone();
                kept.insert(0, used);
                tokens
            })
        };
        if let Some(tokens) = found {
            return Ok(tokens);
        }
        // Made outside the lock: it takes a while.
        let vocabulary = Arc::new(device.vocabulary(name)?);
        let tokens = GrammarTokens::new(vocabulary, model.end_ids());
        let tokens = tokens.map_err(|error| ApiError::field("model", error.to_string()))?;
        let tokens = Arc::new(tokens);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(0, (digest, tokens.clone()));
        kept.truncate(KEPT);
        Ok(tokens)
    }
}
