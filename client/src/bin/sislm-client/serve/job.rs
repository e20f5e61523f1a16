// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a request asks of the device, and what comes back while it is answered.

use std::ops::Add;

use serde_json::{json, Value};
use sislm::{Finish, Grammar, Message, SessionConfig, Token};

use super::error::ApiError;
use super::lora::Lora;
use super::tools::Tools;
use crate::choice::tokens_of;

/// Most prompts, and most answers to each, of one request.
pub(super) const CHOICES_MAX: u32 = 8;

/// One prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Prompt {
    /// A text, in which names of control tokens are text.
    Text(String),
    /// Ids of tokens.
    Ids(Vec<u32>),
    /// Messages, by the model's chat template.
    Messages(Vec<Message>),
}

impl Prompt {
    /// About how many tokens it has.
    pub(super) fn tokens(&self) -> u32 {
        match self {
            Self::Text(text) => tokens_of(text.len()),
            Self::Ids(ids) => u32::try_from(ids.len()).unwrap_or(u32::MAX),
            Self::Messages(messages) => tokens_of(messages.iter().map(Message::bytes).sum()),
        }
    }
}

/// Answers to be made.
#[derive(Debug)]
pub(super) struct Job {
    /// The model; None for the default one.
    pub model: Option<String>,
    /// The prompts, at least one.
    pub prompts: Vec<Prompt>,
    /// Answers to each, at least one. The seed of each but the first is one more than that before.
    pub answers: u32,
    /// Context, sampling and ends; the model is set when it is known.
    pub config: SessionConfig,
    /// Scales of the model's adapters.
    pub lora: Lora,
    /// Whether the text of a prompt comes before its answers.
    pub echo: bool,
    /// What an answer is to be; None for free text.
    pub grammar: Option<Grammar>,
    /// Functions that an answer may call.
    pub tools: Option<Tools>,
    /// With log-probabilities, and so many of the most likely tokens.
    pub logprobs: Option<u32>,
    /// Who asks: others do not share its contexts.
    pub tenant: String,
}

/// Tokens of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Of the prompts.
    pub prompt: u64,
    /// Those of the prompts that were in the context already.
    pub cached: u64,
    /// Of the answers.
    pub answer: u64,
}

impl Add for Usage {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            prompt: self.prompt + other.prompt,
            cached: self.cached + other.cached,
            answer: self.answer + other.answer,
        }
    }
}

impl Usage {
    /// As completions and chats have it.
    pub(super) fn to_json(self) -> Value {
        json!({
            "prompt_tokens": self.prompt,
            "completion_tokens": self.answer,
            "total_tokens": self.prompt + self.answer,
            "prompt_tokens_details": { "cached_tokens": self.cached },
        })
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, or at a text or token that was to end it.
    Stop,
    /// At the most tokens asked for, or at the end of the context.
    Length,
    /// With calls of functions, whose results are to follow.
    Calls,
}

impl End {
    /// As the API has it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::Calls => "tool_calls",
        }
    }

    /// Of a turn that has ended well; None for one that was cancelled.
    pub(super) fn of(finish: Finish) -> Option<Self> {
        match finish {
            Finish::Stop => Some(Self::Stop),
            Finish::Length | Finish::Context | Finish::Deadline => Some(Self::Length),
            _ => None,
        }
    }
}

/// What happens to a job, in this order: begun, then text, calls and end of each choice, then done; or failed at any place.
/// Of two choices it may happen in turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The model is known, and the first turn has begun.
    Begun {
        /// Its name.
        model: String,
        /// Of the model's bytes and the arithmetic: equal ones give equal answers to equal seeds.
        fingerprint: String,
    },
    /// More text.
    Text {
        /// Number of the answer, from 0.
        choice: u32,
        /// In whole characters.
        text: String,
        /// Its tokens, where log-probabilities are asked for.
        tokens: Vec<Token>,
    },
    /// A call of a function begins.
    Call {
        /// Number of the answer.
        choice: u32,
        /// Number of the call in it, from 0.
        index: u32,
        /// What the message with the result names it by.
        id: String,
        /// The function.
        name: String,
    },
    /// More of the arguments of a call, which are JSON as a whole.
    Arguments {
        /// Number of the answer.
        choice: u32,
        /// Number of the call in it.
        index: u32,
        /// In whole characters.
        text: String,
    },
    /// An answer is whole.
    End {
        /// Its number.
        choice: u32,
        /// Why.
        end: End,
    },
    /// All answers are.
    Done(Usage),
    /// No more comes.
    Failed(ApiError),
}
