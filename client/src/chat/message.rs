// SPDX-License-Identifier: MIT OR Apache-2.0
//! What somebody says.

use minijinja::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::alphabet::Alphabet;
use super::json::{strings, value_of};
use super::ToolCall;

/// What somebody says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who says it: `system`, `user`, `assistant` or `tool`.
    pub role: String,
    /// The text.
    pub content: String,
    /// Functions that the assistant calls.
    pub calls: Vec<ToolCall>,
    /// The call whose result it is, for a message of a tool.
    pub answers: Option<String>,
}

impl Message {
    /// A text.
    pub fn new(role: &str, content: &str) -> Self {
        Self {
            role: role.into(),
            content: content.into(),
            ..Self::default()
        }
    }

    /// Bytes of its text.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let calls: Vec<Json> = self.calls.iter().map(ToolCall::to_json).collect();
        let calls = calls.iter().map(|call| call.to_string().len());
        self.content.len() + calls.sum::<usize>()
    }

    /// As templates know it, its text in `alphabet` if there is one.
    pub(super) fn to_value(&self, alphabet: Option<&Alphabet>) -> Value {
        let hide = |text: &str| match alphabet {
            Some(alphabet) => alphabet.hide(text),
            None => text.into(),
        };
        let mut pairs = vec![
            ("role", Value::from(self.role.as_str())),
            ("content", Value::from(hide(&self.content))),
        ];
        if !self.calls.is_empty() {
            let calls = self.calls.iter();
            let calls: Value = calls
                .map(|call| value_of(&call.to_json(), alphabet))
                .collect();
            pairs.push(("tool_calls", calls));
        }
        if let Some(id) = &self.answers {
            pairs.push(("tool_call_id", Value::from(hide(id))));
        }
        Value::from_pairs(pairs)
    }

    /// Its text that is not the template's, added to `all`.
    pub(super) fn texts(&self, all: &mut Vec<String>) {
        all.push(self.content.clone());
        all.extend(self.answers.clone());
        for call in &self.calls {
            let call = call.to_json();
            let mut found = Vec::new();
            strings(&call, &mut found);
            all.extend(found.into_iter().map(str::to_owned));
        }
    }
}
