// SPDX-License-Identifier: MIT OR Apache-2.0
//! How models write calls of functions.

use serde_json::json;

use super::{Message, Tool};

/// How a model writes calls, as its chat template shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `<tool_call>`, an object with `name` and `arguments`, `</tool_call>`; text may come before.
    Tagged,
    /// A list of objects with `name` and `arguments`, and nothing else.
    Listed,
    /// An object with `name` and `parameters`, and nothing else.
    Bare,
}

/// The mark of [`Convention::Tagged`] before a call.
pub const CALL_MARK: &str = "<tool_call>";

impl Convention {
    /// That of a template; None when it has no tools, or calls them in another way.
    pub(super) fn of(template: &str) -> Option<Self> {
        let has = |word| template.contains(word);
        if !has("tools") {
            None
        } else if has(CALL_MARK) && !has("<function=") && !has("<arg_key>") {
            Some(Self::Tagged)
        } else if has("[TOOL_CALLS]") && !has("[ARGS]") && !has("[CALL_ID]") {
            Some(Self::Listed)
        } else if has("Environment: ipython") && has("parameters") {
            Some(Self::Bare)
        } else {
            None
        }
    }

    /// What is before all calls, between two, and after all; before and after each.
    pub(crate) fn around(self) -> [&'static str; 5] {
        match self {
            Self::Tagged => ["", "\n", "", "<tool_call>\n", "\n</tool_call>"],
            Self::Listed => ["[", ", ", "]", "", ""],
            Self::Bare => ["", "", "", "", ""],
        }
    }

    /// What is between a call's name and its arguments.
    pub fn key(self) -> &'static str {
        match self {
            Self::Bare => "\", \"parameters\": ",
            Self::Tagged | Self::Listed => "\", \"arguments\": ",
        }
    }
}

/// The same conversation without tools, for a template that does not know them: what they are, calls and results are
/// text.
pub(super) fn as_text(messages: &[Message], tools: &[Tool]) -> Vec<Message> {
    let mut all: Vec<Message> = messages.iter().map(plain).collect();
    if tools.is_empty() {
        return all;
    }
    let list: Vec<String> = tools
        .iter()
        .map(|tool| tool.to_json().to_string())
        .collect();
    let words = format!(
        "You can call functions. These are there:\n{}\nTo call one, write\n<tool_call>\n{{\"name\": \"NAME\", \
         \"arguments\": OBJECT}}\n</tool_call>\nIts result is given to you between <tool_response> and \
         </tool_response>.",
        list.join("\n")
    );
    match all.first_mut() {
        Some(first) if first.role == "system" => {
            first.content = format!("{}\n\n{words}", first.content);
        }
        _ => all.insert(0, Message::new("system", &words)),
    }
    all
}

fn plain(message: &Message) -> Message {
    let calls = message.calls.iter().map(|call| {
        let object = json!({ "name": call.name, "arguments": call.arguments });
        format!("<tool_call>\n{object}\n</tool_call>")
    });
    let mut parts: Vec<String> = calls.collect();
    if message.role == "tool" {
        let text = format!("<tool_response>\n{}\n</tool_response>", message.content);
        return Message::new("user", &text);
    }
    if !message.content.is_empty() {
        parts.insert(0, message.content.clone());
    }
    Message::new(&message.role, &parts.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;
    use crate::chat::ToolCall;

    #[test]
    fn a_template_shows_its_convention() {
        for (template, wanted) in [
            ("{{ messages }}", None),
            ("{% if tools %}<tool_call>", Some(Convention::Tagged)),
            ("{% if tools %}<tool_call><function=", None),
            ("{% if tools %}[TOOL_CALLS]", Some(Convention::Listed)),
            ("{% if tools %}[TOOL_CALLS]x[ARGS]", None),
            (
                "{% if tools %}Environment: ipython {\"parameters\": ",
                Some(Convention::Bare),
            ),
            ("{% if tools %}", None),
        ] {
            assert_eq!(Convention::of(template), wanted, "{template}");
        }
    }

    #[test]
    fn a_template_without_tools_is_told_of_them_in_text() {
        let tool = Tool {
            name: "look".into(),
            description: "Looks.".into(),
            parameters: Map::new(),
        };
        let call = ToolCall {
            id: "1".into(),
            name: "look".into(),
            arguments: Map::new(),
        };
        let messages = [
            Message::new("user", "a"),
            Message {
                calls: vec![call],
                ..Message::new("assistant", "")
            },
            Message {
                answers: Some("1".into()),
                ..Message::new("tool", "b")
            },
        ];
        let all = as_text(&messages, std::slice::from_ref(&tool));
        let roles: Vec<&str> = all.iter().map(|message| &message.role[..]).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
        assert!(
            all[0].content.contains(r#""name":"look""#),
            "{}",
            all[0].content
        );
        assert_eq!(
            all[2].content,
            "<tool_call>\n{\"name\":\"look\",\"arguments\":{}}\n</tool_call>"
        );
        assert_eq!(all[3].content, "<tool_response>\nb\n</tool_response>");
        let system = [
            Message::new("system", "Be brief."),
            Message::new("user", "a"),
        ];
        let all = as_text(&system, &[tool]);
        assert!(all.len() == 2 && all[0].content.starts_with("Be brief.\n\nYou can call"));
    }
}
