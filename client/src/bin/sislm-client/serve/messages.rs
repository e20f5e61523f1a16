// SPDX-License-Identifier: MIT OR Apache-2.0
//! The messages of a request.

use serde_json::Value;
use sislm::{Message, ToolCall};

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

/// The messages of a list of items in the field `name`, as responses have them: messages, calls of functions and their
/// results.
pub(super) fn items(name: &str, list: &[Value]) -> Result<Vec<Message>, ApiError> {
    let mut all: Vec<Message> = Vec::new();
    for (place, value) in list.iter().enumerate() {
        let place = format!("{name}[{place}]");
        let id = || string(&place, value, "call_id");
        match value.get("type").and_then(Value::as_str) {
            None | Some("message") => all.push(message(&place, value)?),
            Some("function_call") => {
                let call = call(&place, value, id()?)?;
                // Calls of one answer are one message.
                match all.last_mut() {
                    Some(last) if last.role == "assistant" => last.calls.push(call),
                    _ => all.push(Message {
                        calls: vec![call],
                        ..Message::new("assistant", "")
                    }),
                }
            }
            Some("function_call_output") => all.push(Message {
                answers: Some(id()?),
                ..Message::new("tool", &content(&place, "output", value.get("output"))?)
            }),
            Some(kind) => {
                let sentence = format!("{place} is of type {kind}, which is not understood");
                return Err(ApiError::unsupported(&place, sentence));
            }
        }
    }
    match all.is_empty() {
        true => messages(name, &[]),
        false => Ok(all),
    }
}

/// The call that an object tells, by that name.
fn call(place: &str, value: &Value, id: String) -> Result<ToolCall, ApiError> {
    let text = string(place, value, "arguments")?;
    let Ok(arguments) = serde_json::from_str(&text) else {
        return wrong(place, "arguments", "the text of a JSON object");
    };
    let name = string(place, value, "name")?;
    Ok(ToolCall {
        id,
        name,
        arguments,
    })
}

/// The text in the member `name`.
fn string(place: &str, value: &Value, name: &str) -> Result<String, ApiError> {
    match value.get(name).and_then(Value::as_str) {
        Some(text) => Ok(text.into()),
        None => wrong(place, name, "a text"),
    }
}

fn wrong<T>(place: &str, field: &str, sentence: &str) -> Result<T, ApiError> {
    let place = format!("{place}.{field}");
    let sentence = format!("{place} is to be {sentence}");
    Err(ApiError::field(&place, sentence))
}

/// A text, or parts of text.
fn content(place: &str, field: &str, value: Option<&Value>) -> Result<String, ApiError> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(parts)) => match parts.iter().map(part).collect::<Option<Vec<&str>>>() {
            Some(texts) => Ok(texts.concat()),
            None => wrong(
                place,
                field,
                "text: parts of another type are not understood",
            ),
        },
        _ => wrong(place, field, "a text, or a list of parts of text"),
    }
}

fn message(place: &str, value: &Value) -> Result<Message, ApiError> {
    let role = value.get("role").and_then(Value::as_str);
    let Some((_, role)) = ROLES.iter().find(|(name, _)| Some(*name) == role) else {
        return wrong(place, "role", "system, developer, user, assistant or tool");
    };
    let content = match value.get("content") {
        // As of a message of calls.
        None | Some(Value::Null) if *role == "assistant" => String::new(),
        value => content(place, "content", value)?,
    };
    let mut message = Message::new(role, &content);
    if *role == "tool" {
        message.answers = Some(string(place, value, "tool_call_id")?);
    }
    match value.get("tool_calls") {
        None | Some(Value::Null) => {}
        Some(Value::Array(calls)) if *role == "assistant" => {
            for (number, value) in calls.iter().enumerate() {
                let place = format!("{place}.tool_calls[{number}]");
                let id = string(&place, value, "id")?;
                let function = value.get("function").unwrap_or(&Value::Null);
                let function_place = format!("{place}.function");
                message.calls.push(call(&function_place, function, id)?);
            }
        }
        Some(_) => return wrong(place, "tool_calls", "a list, of an assistant"),
    }
    Ok(message)
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
    fn calls_and_their_results_are_messages() {
        let function = json!({ "name": "f", "arguments": "{\"a\": 1}" });
        let chat = json!([
            { "role": "user", "content": "a" },
            { "role": "assistant", "content": null, "tool_calls": [
                { "id": "1", "type": "function", "function": function },
                { "id": "2", "type": "function", "function": function },
            ] },
            { "role": "tool", "tool_call_id": "2", "content": "b" },
        ]);
        let call = |id: &str| json!({ "type": "function_call", "call_id": id, "name": "f", "arguments": "{\"a\": 1}" });
        let response = json!([
            { "role": "user", "content": "a" }, call("1"), call("2"),
            { "type": "function_call_output", "call_id": "2", "output": "b" },
        ]);
        let found = messages("messages", chat.as_array().unwrap()).unwrap();
        assert_eq!(found[1].calls.len(), 2);
        assert_eq!(found[1].calls[1].arguments["a"], 1);
        assert_eq!(found[2].answers.as_deref(), Some("2"));
        assert_eq!(items("input", response.as_array().unwrap()), Ok(found));
        assert!(items("input", &[json!({ "type": "reasoning" })]).is_err());
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
            (
                json!([{ "role": "tool", "content": "a" }]),
                "messages[0].tool_call_id",
            ),
            (
                json!([{ "role": "assistant", "tool_calls": [{ "id": "1", "function": { "name": "f", "arguments": "[" } }] }]),
                "messages[0].tool_calls[0].function.arguments",
            ),
        ] {
            let error = read(value).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], param);
        }
    }
}
