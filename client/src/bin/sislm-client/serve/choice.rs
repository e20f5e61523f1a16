// SPDX-License-Identifier: MIT OR Apache-2.0
//! An answer that is whole.

use serde_json::{json, Value};
use sislm::Token;

use super::job::End;

/// A call of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Called {
    /// What the message with the result names it by.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, as JSON.
    pub arguments: String,
}

/// An answer that is whole.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Its text.
    pub text: String,
    /// Functions that it calls.
    pub calls: Vec<Called>,
    /// Its tokens, where log-probabilities are asked for.
    pub tokens: Vec<Token>,
    /// Why it ended; None while it has not.
    pub end: Option<End>,
}

impl Choice {
    /// As a message of a chat.
    pub(super) fn message(&self) -> Value {
        let mut message = json!({ "role": "assistant", "content": self.text, "refusal": null });
        if !self.calls.is_empty() {
            if self.text.is_empty() {
                message["content"] = Value::Null;
            }
            let calls = self.calls.iter();
            let calls = calls.map(|call| {
                let function = json!({ "name": call.name, "arguments": call.arguments });
                json!({ "id": call.id, "type": "function", "function": function })
            });
            message["tool_calls"] = calls.collect();
        }
        message
    }
}
