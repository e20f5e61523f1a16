// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a chat template gives no text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An error of a chat template; displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplateError {
    /// It is no Jinja, or uses what is not there; the text says where.
    Syntax(String),
    /// It fails with these messages; the text says where.
    Failed(String),
    /// It refuses these messages, in its own words.
    Refused(String),
    /// It takes too much time or memory.
    Endless,
    /// It changes the text of messages in a way that does not tell what is whose.
    Changed,
    /// The process that renders it does not do so; the text says why.
    NoRenderer(String),
}

impl std::error::Error for TemplateError {}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(what) => write!(f, "the model's chat template is not understood ({what})"),
            Self::Failed(what) => write!(f, "the model's chat template fails ({what})"),
            Self::Refused(words) => write!(f, "the model's chat template refuses these messages: {words}"),
            Self::Endless => f.write_str(
                "the model's chat template takes too much time or memory, as if it had no end: use a model with another \
                 template, or continue a text without one",
            ),
            Self::NoRenderer(why) => write!(
                f,
                "a chat template is rendered by a process of this program, which cannot be ({why}): allow the program to \
                 start itself, with /proc mounted"
            ),
            Self::Changed => f.write_str(
                "the model's chat template changes the text of this message, so that it could pass for the \
                 template's own words; say it in other words",
            ),
        }
    }
}
