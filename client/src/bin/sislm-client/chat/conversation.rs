// SPDX-License-Identifier: MIT OR Apache-2.0
//! What was said.

use serde_json::{json, Value};
use sislm::Message;

/// The messages of a conversation, what the system says first.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    system: Option<String>,
    said: Vec<Message>,
}

impl Conversation {
    /// Of which nothing is said but by the system.
    pub(crate) fn new(system: Option<String>) -> Self {
        Self {
            system,
            said: Vec::new(),
        }
    }

    /// Lets the system say something else.
    pub(crate) fn set_system(&mut self, system: Option<String>) {
        self.system = system;
    }

    /// Forgets all but what the system says.
    pub(crate) fn clear(&mut self) {
        self.said.clear();
    }

    /// All messages, and then what a user says.
    pub(crate) fn with(&self, user: &str) -> Vec<Message> {
        let system = self
            .system
            .as_ref()
            .map(|text| Message::new("system", text));
        let said = self.said.iter().cloned();
        let last = Message::new("user", user);
        system.into_iter().chain(said).chain([last]).collect()
    }

    /// Notes what a user has said, and what was answered.
    pub(crate) fn add(&mut self, user: &str, answer: &str) {
        self.said.push(Message::new("user", user));
        self.said.push(Message::new("assistant", answer));
    }

    /// The messages as the chat interfaces of servers have them.
    pub(crate) fn to_json(&self) -> Value {
        let system = self
            .system
            .as_ref()
            .map(|text| Message::new("system", text));
        let all = system.iter().chain(&self.said);
        let object = |said: &Message| json!({ "role": said.role, "content": said.content });
        all.map(object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_speaks_first_and_stays() {
        let mut conversation = Conversation::new(Some("Be brief.".into()));
        conversation.add("one", "two");
        let roles = |conversation: &Conversation| -> Vec<String> {
            let messages = conversation.with("three");
            messages.into_iter().map(|said| said.role).collect()
        };
        assert_eq!(
            roles(&conversation),
            ["system", "user", "assistant", "user"]
        );
        assert_eq!(
            conversation.to_json().to_string(),
            concat!(
                r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"one"},"#,
                r#"{"role":"assistant","content":"two"}]"#
            )
        );
        conversation.clear();
        assert_eq!(roles(&conversation), ["system", "user"]);
        conversation.set_system(None);
        assert_eq!(roles(&conversation), ["user"]);
    }
}
