// SPDX-License-Identifier: MIT OR Apache-2.0
//! Server-sent events: the bytes of a streamed answer.

use serde_json::Value;

/// A comment, which keeps an idle connection alive.
pub(super) const COMMENT: &str = ":\n\n";
/// What ends a stream of chunks.
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// An event without a name.
pub(super) fn data(object: &Value) -> String {
    // JSON has no line ends of its own: a line end in a text is escaped.
    format!("data: {object}\n\n")
}

/// An event named as its `type`.
pub(super) fn named(object: &Value) -> String {
    let name = object["type"].as_str().unwrap_or("message");
    format!("event: {name}\ndata: {object}\n\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_line_and_an_empty_one() {
        let object = json!({ "type": "a.b", "text": "one\n\ntwo\r" });
        assert_eq!(
            data(&object),
            "data: {\"type\":\"a.b\",\"text\":\"one\\n\\ntwo\\r\"}\n\n"
        );
        assert!(named(&object).starts_with("event: a.b\ndata: {"));
        assert_eq!(named(&object).matches('\n').count(), 3);
    }
}
