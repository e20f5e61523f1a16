// SPDX-License-Identifier: MIT OR Apache-2.0
//! The items of a response's output: a message, and calls of functions.

use serde_json::{json, Value};
use sislm::Token;

use super::choice::{Called, Choice};
use super::identity::Identity;
use super::logprobs;

/// An item of an output.
#[derive(Debug)]
pub(super) struct Item {
    /// Unlike all others.
    pub id: String,
    /// What it is.
    pub kind: Kind,
}

/// The text of an answer.
#[derive(Debug, Default)]
pub(super) struct OutputText {
    /// Its characters.
    pub text: String,
    /// Its tokens, where log-probabilities are asked for.
    pub tokens: Vec<Token>,
}

/// What an item is.
#[derive(Debug)]
pub(super) enum Kind {
    /// What is said.
    Message(OutputText),
    /// A call of a function.
    Call(Called),
}

impl Item {
    /// A message.
    pub(super) fn message(output: OutputText) -> Self {
        Self {
            id: Identity::new("msg_").id,
            kind: Kind::Message(output),
        }
    }

    /// A call.
    pub(super) fn call(call: Called) -> Self {
        Self {
            id: Identity::new("fc_").id,
            kind: Kind::Call(call),
        }
    }

    /// Those of a whole answer.
    pub(super) fn all(choice: &Choice) -> Vec<Self> {
        let text = !choice.text.is_empty() || choice.calls.is_empty();
        let output = || OutputText {
            text: choice.text.clone(),
            tokens: choice.tokens.clone(),
        };
        let message = text.then(|| Self::message(output()));
        let calls = choice.calls.iter().cloned().map(Self::call);
        message.into_iter().chain(calls).collect()
    }

    /// As the API has it.
    pub(super) fn to_json(&self, status: &str) -> Value {
        match &self.kind {
            Kind::Message(output) => self.message_of(status, json!([part(output)])),
            Kind::Call(call) => json!({
                "id": self.id,
                "type": "function_call",
                "status": status,
                "call_id": call.id,
                "name": call.name,
                "arguments": call.arguments,
            }),
        }
    }

    /// The same before it has any text.
    pub(super) fn begun(&self) -> Value {
        match &self.kind {
            Kind::Message(_) => self.message_of("in_progress", json!([])),
            Kind::Call(_) => self.to_json("in_progress"),
        }
    }

    fn message_of(&self, status: &str, content: Value) -> Value {
        json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        })
    }
}

/// The only part of a message.
pub(super) fn part(output: &OutputText) -> Value {
    json!({
        "type": "output_text",
        "text": output.text,
        "annotations": [],
        "logprobs": logprobs::response(&output.tokens),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_message_unless_it_is_calls_alone() {
        let call = Called {
            id: "c".into(),
            name: "f".into(),
            arguments: "{}".into(),
        };
        let kinds = |text: &str, calls: Vec<Called>| {
            let choice = Choice {
                text: text.into(),
                calls,
                ..Choice::default()
            };
            let all = Item::all(&choice);
            let kinds = all
                .iter()
                .map(|item| item.to_json("completed")["type"].clone());
            kinds.collect::<Vec<Value>>()
        };
        assert_eq!(kinds("", vec![]), ["message"]);
        assert_eq!(kinds("", vec![call.clone()]), ["function_call"]);
        assert_eq!(
            kinds("a", vec![call.clone(), call]),
            ["message", "function_call", "function_call"]
        );
    }
}
