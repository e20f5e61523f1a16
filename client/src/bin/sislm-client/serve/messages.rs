// SPDX-License-Identifier: MIT OR Apache-2.0
//! The messages of a request.

use serde_json::Value;
use sislm::Message;

use super::error::ApiError;

/// Roles as templates know them. What developers say is what the system says.
const ROLES: [(&str, &str); 5] = [
    ("system", "system"),
    ("developer", "system"),
    ("user", "user"),
    ("assistant", "assistant"),
    ("tool", "tool"),
];

/// The messages of the list in the field `name`: at least one.
pub(super) fn messages(name: &str, list: &[Value]) -> Result<Vec<Message>, ApiError> {
    if list.is_empty() {
        let sentence = format!("{name} is to be a list of at least one message");
        return Err(ApiError::field(name, sentence));
    }
    let message = |(place, value): (usize, &Value)| message(&format!("{name}[{place}]"), value);
    list.iter().enumerate().map(message).collect()
}

fn message(place: &str, value: &Value) -> Result<Message, ApiError> {
    let wrong = |field: &str, sentence: &str| {
        let place = format!("{place}.{field}");
        Err(ApiError::field(
            &place,
            format!("{place} is to be {sentence}"),
        ))
    };
    let role = value.get("role").and_then(Value::as_str);
    let Some((_, role)) = ROLES.iter().find(|(name, _)| Some(*name) == role) else {
        return wrong("role", "system, developer, user, assistant or tool");
    };
    let content = match value.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => match parts.iter().map(part).collect::<Option<Vec<&str>>>() {
            Some(texts) => texts.concat(),
            None => return wrong("content", "text: parts of another type are not understood"),
        },
        // As of a message of tool calls.
        None | Some(Value::Null) if *role == "assistant" => String::new(),
        _ => return wrong("content", "a text, or a list of parts of text"),
    };
    Ok(Message {
        role: (*role).into(),
        content,
    })
}

/// The text of a part.
fn part(part: &Value) -> Option<&str> {
    match part.get("type")?.as_str()? {
        "text" | "input_text" | "output_text" => part.get("text")?.as_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Vec<(String, String)>, ApiError> {
        let found = messages("messages", value.as_array().unwrap())?;
        Ok(found
            .into_iter()
            .map(|said| (said.role, said.content))
            .collect())
    }

    #[test]
    fn content_is_a_text_or_parts_of_text() {
        let found = read(json!([
            { "role": "developer", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "input_text", "text": "b" }] },
            { "role": "assistant", "content": null },
        ]));
        let said = |role: &str, content: &str| (role.to_owned(), content.to_owned());
        assert_eq!(
            found.unwrap(),
            [
                said("system", "Be brief."),
                said("user", "ab"),
                said("assistant", "")
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (value, param) in [
            (json!([]), "messages"),
            (
                json!([{ "role": "user", "content": "a" }, { "role": "king" }]),
                "messages[1].role",
            ),
            (json!([{ "role": "user" }]), "messages[0].content"),
            (
                json!([{ "role": "user", "content": [{ "type": "image_url" }] }]),
                "messages[0].content",
            ),
            (json!([7]), "messages[0].role"),
        ] {
            let error = read(value).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], param);
        }
    }
}
