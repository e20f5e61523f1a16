// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a template is to render.

use std::sync::Arc;
use std::time::SystemTime;

use super::alphabet::Alphabet;
use super::json::{strings, ESCAPES};
use super::Message;

/// What is to be rendered.
pub(super) struct Said<'a> {
    /// The messages.
    pub messages: &'a [Message],
    /// Functions that may be called.
    pub tools: Vec<serde_json::Value>,
    /// Whether the answer is to follow.
    pub answer: bool,
    /// The time.
    pub now: SystemTime,
}

impl Said<'_> {
    /// An alphabet of all text that is not the template's; None when there is none.
    pub(super) fn alphabet(&self) -> Option<Arc<Alphabet>> {
        let mut texts = vec![ESCAPES.to_owned()];
        for message in self.messages {
            message.texts(&mut texts);
        }
        for tool in &self.tools {
            let mut found = Vec::new();
            strings(tool, &mut found);
            texts.extend(found.into_iter().map(str::to_owned));
        }
        Alphabet::of(texts.iter().map(String::as_str)).map(Arc::new)
    }

    /// Bytes of that text.
    pub(super) fn bytes(&self) -> usize {
        let messages = self.messages.iter().map(Message::bytes);
        let tools = self.tools.iter().map(|tool| tool.to_string().len());
        messages.sum::<usize>() + tools.sum::<usize>()
    }
}
