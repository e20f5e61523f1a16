// SPDX-License-Identifier: GPL-2.0
//! What ends a turn beside the model's own tokens: texts, and tokens by their ids.

use anyhow::{Result, ensure};

use crate::arguments::Infer;
use crate::wall::Model;

/// The texts and ids that end a turn.
pub struct Stop {
    /// The ids.
    pub ids: Vec<u32>,
    texts: Vec<Vec<u8>>,
}

impl Stop {
    /// Those of the options. A control token has no text, so its name stands for its id.
    pub fn new(model: &Model, options: &Infer, budget: u32) -> Result<Self> {
        let mut stop = Self {
            ids: options.stop_id.clone(),
            texts: Vec::new(),
        };
        for &id in &stop.ids {
            let tokens = model.facts.vocabulary;
            ensure!(
                id < tokens,
                "there is no token {id}: the model has {tokens}"
            );
        }
        for text in &options.stop {
            ensure!(!text.is_empty(), "a text to stop at has at least one byte");
            match model.tokenize(text.as_bytes(), false, true, budget)?[..] {
                [id] if model.detokenize(id, false)?.is_empty() => stop.ids.push(id),
                _ => stop.texts.push(text.clone().into_bytes()),
            }
        }
        Ok(stop)
    }

    /// Where in `text` the first of the texts begins.
    pub fn end(&self, text: &[u8]) -> Option<usize> {
        let begins = |rest: &[u8]| self.texts.iter().any(|stop| rest.starts_with(stop));
        (0..text.len()).find(|&at| begins(&text[at..]))
    }

    /// Bytes of `text` that are no beginning of one of the texts.
    pub fn decided(&self, text: &[u8]) -> usize {
        let may_begin = |rest: &[u8]| self.texts.iter().any(|stop| stop.starts_with(rest));
        (0..text.len())
            .find(|&at| may_begin(&text[at..]))
            .unwrap_or(text.len())
    }
}
