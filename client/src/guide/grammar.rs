// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an answer is to be.

use std::fmt;

use llguidance::api::TopLevelGrammar;
use serde_json::{json, Value};

/// What an answer is to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Grammar {
    /// JSON of a schema.
    JsonSchema(Value),
    /// Text that a regular expression matches as a whole, in Rust's syntax.
    Regex(String),
    /// Text of a grammar in Lark's syntax, from its rule `start`.
    Lark(String),
}

/// Why no answer can be made by a grammar: a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrammarError(String);

impl GrammarError {
    /// Of what the grammar's parser says.
    pub(super) fn new(error: &anyhow::Error) -> Self {
        // A first line tells it; others are where it was found.
        let text = format!("{error:#}");
        Self(text.lines().next().unwrap_or_default().to_string())
    }
}

impl std::error::Error for GrammarError {}

impl fmt::Display for GrammarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer can be made by this grammar: {}", self.0)
    }
}

impl Grammar {
    /// Any JSON object.
    pub fn json_object() -> Self {
        Self::JsonSchema(json!({ "type": "object" }))
    }

    /// As the grammar's parser takes it. JSON has one space behind `,` and `:` and none elsewhere: a small
    /// model would lose itself in white space.
    pub(super) fn to_parser(&self) -> TopLevelGrammar {
        match self {
            Self::JsonSchema(schema) => {
                let mut schema = match schema {
                    Value::Bool(true) => json!({}),
                    schema => schema.clone(),
                };
                set_spaces(&mut schema);
                TopLevelGrammar::from_json_schema(schema)
            }
            Self::Regex(text) => TopLevelGrammar::from_regex(text),
            Self::Lark(text) => TopLevelGrammar::from_lark(text.clone()),
        }
    }
}

/// Lets JSON of `schema` have one space behind `,` and `:` and none elsewhere.
pub(super) fn set_spaces(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut() {
        let spaces = json!({
            "whitespace_flexible": false,
            "item_separator": ", ",
            "key_separator": ": ",
        });
        object.insert("x-guidance".to_string(), spaces);
    }
}
