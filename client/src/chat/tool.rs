// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions that a model may call, and calls of them.

use serde::{Deserialize, Serialize};
use serde_json::{json, Map, Value};

/// A function that a model may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// What it does; may be empty.
    pub description: String,
    /// The JSON schema of its arguments, which are an object.
    pub parameters: Map<String, Value>,
}

impl Tool {
    /// As templates and models know it.
    pub(super) fn to_json(&self) -> Value {
        json!({ "type": "function", "function": {
            "name": self.name,
            "description": self.description,
            "parameters": self.parameters,
        }})
    }
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// What the message with the result names it by.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

impl ToolCall {
    /// As templates know it.
    pub(super) fn to_json(&self) -> Value {
        json!({ "type": "function", "id": self.id, "function": {
            "name": self.name,
            "arguments": self.arguments,
        }})
    }
}
