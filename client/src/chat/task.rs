// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a process that renders is given.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{ChatTemplate, Message, Rendered, TemplateError, Tool};

/// A conversation and its template.
#[derive(Serialize, Deserialize)]
pub(super) struct Task<'a> {
    /// The template.
    pub template: Cow<'a, ChatTemplate>,
    /// What is said.
    pub messages: Cow<'a, [Message]>,
    /// Functions that may be called.
    pub tools: Cow<'a, [Tool]>,
    /// Whether the answer is to follow.
    pub answer: bool,
}

impl Task<'_> {
    /// What becomes of it.
    pub(super) fn render(&self) -> Result<Rendered, TemplateError> {
        self.template
            .render_here(&self.messages, &self.tools, self.answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Map};

    use super::super::ToolCall;
    use super::*;

    #[test]
    fn a_task_arrives_as_it_was_given() {
        let mut arguments = Map::new();
        // The order of members, and each bit of a number.
        arguments.insert("z".into(), json!([0.1, 1.7976931348623157e308, 5e-324]));
        arguments.insert("a".into(), json!(u64::MAX));
        let call = ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: arguments.clone(),
        };
        let tool = Tool {
            name: "f".into(),
            description: "\u{1f40b}\0".into(),
            parameters: arguments,
        };
        let message = Message {
            calls: vec![call],
            answers: Some("2".into()),
            ..Message::new("tool", "a\u{2028}\"")
        };
        let template = ChatTemplate::new("{{ bos_token }}", "<s>", "");
        let task = Task {
            template: Cow::Borrowed(&template),
            messages: Cow::Borrowed(&[message]),
            tools: Cow::Borrowed(&[tool]),
            answer: true,
        };
        let bytes = serde_json::to_vec(&task).unwrap();
        let arrived: Task<'_> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(arrived.messages, task.messages);
        assert_eq!(arrived.tools, task.tools);
        let order: Vec<&String> = arrived.tools[0].parameters.keys().collect();
        assert_eq!(order, ["z", "a"]);
        assert_eq!(arrived.render(), task.render());
    }
}
