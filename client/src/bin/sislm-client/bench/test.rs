// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is timed.

use std::fmt;

use sislm::{Error, Model, ModelName, SamplingConfig, Session, SessionConfig};

/// A number of tokens, and how they are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// So many tokens at once, as of a prompt.
    Prompt(u32),
    /// So many tokens one after the other, as of an answer.
    Generation(u32),
}

impl Test {
    /// Its tokens.
    pub(crate) fn tokens(self) -> u32 {
        match self {
            Self::Prompt(tokens) | Self::Generation(tokens) => tokens,
        }
    }

    /// Positions that it needs: a prompt is followed by one token, and an answer follows one.
    pub(crate) fn positions(self) -> u32 {
        match self {
            Self::Prompt(tokens) => tokens.saturating_add(1),
            Self::Generation(tokens) => tokens.saturating_add(2),
        }
    }

    /// A session for it: greedy, and past the tokens that end a turn.
    pub(crate) fn config(self, model: ModelName) -> SessionConfig {
        SessionConfig {
            model: Some(model),
            context: self.positions(),
            max_tokens: match self {
                Self::Prompt(_) => 1,
                // The first one is computed with the prompt.
                Self::Generation(tokens) => tokens.saturating_add(1),
            },
            sampling: SamplingConfig::greedy(),
            seed: Some(0),
            ignore_eos: true,
            ..Default::default()
        }
    }

    /// Nanoseconds that the tokens took, from an empty context.
    pub(crate) fn run(self, session: &mut Session, model: &Model) -> Result<u64, Error> {
        session.reset()?;
        let length = match self {
            Self::Prompt(tokens) => tokens,
            Self::Generation(_) => 1,
        };
        for piece in session.prompt_ids(&ids(model, length))? {
            piece?;
        }
        let timings = session.outcome()?.timings;
        Ok(match self {
            Self::Prompt(_) => timings.prefill_ns,
            Self::Generation(_) => timings.decode_ns,
        })
    }
}

impl fmt::Display for Test {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Prompt(_) => "pp",
            Self::Generation(_) => "tg",
        };
        write!(to, "{kind}{}", self.tokens())
    }
}

/// A prompt: the token that begins one, where there is one, then any.
fn ids(model: &Model, length: u32) -> Vec<u32> {
    // Steps of a prime number reach all ids of a vocabulary.
    let any = |place: u32| place.wrapping_mul(7919) % model.vocabulary.max(1);
    let first = model.bos_id().unwrap_or(0);
    (0..length)
        .map(|place| if place == 0 { first } else { any(place) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_llama_bench() {
        assert_eq!(Test::Prompt(512).to_string(), "pp512");
        assert_eq!(Test::Generation(128).to_string(), "tg128");
    }

    #[test]
    fn a_context_holds_the_test() {
        let name = || ModelName::default_model();
        let prompt = Test::Prompt(512).config(name());
        assert_eq!((prompt.context, prompt.max_tokens), (513, 1));
        let generation = Test::Generation(128).config(name());
        assert_eq!((generation.context, generation.max_tokens), (130, 129));
    }

    #[test]
    fn ids_are_of_the_vocabulary() {
        let model = Model {
            vocabulary: 500,
            bos: 1,
            ..Default::default()
        };
        let ids = ids(&model, 512);
        assert_eq!((ids.len(), ids[0]), (512, 1));
        assert!(ids.iter().all(|&id| id < 500));
    }
}
