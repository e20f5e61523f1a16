// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a response repeats of its request.

use serde_json::{json, Map, Value};

/// What a response repeats of its request.
pub(super) fn echoed(object: &Map<String, Value>) -> Map<String, Value> {
    let fallback = [
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("temperature", Value::Null),
        ("top_p", Value::Null),
        ("metadata", json!({})),
        ("text", json!({ "format": { "type": "text" } })),
        ("parallel_tool_calls", json!(true)),
        ("tool_choice", json!("auto")),
        ("tools", json!([])),
    ];
    let value = |(name, fallback): (&str, Value)| {
        let given = object.get(name).cloned();
        (name.to_owned(), given.unwrap_or(fallback))
    };
    let mut all: Map<String, Value> = fallback.into_iter().map(value).collect();
    for tool in all
        .get_mut("tools")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(tool) = tool.as_object_mut() {
            tool.entry("parameters").or_insert(Value::Null);
            // Arguments are always as the schema says.
            tool.insert("strict".into(), json!(true));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_repeated_as_it_was_meant() {
        let tool = json!({ "type": "function", "name": "f" });
        let asked = json!({ "temperature": 0.5, "tools": [tool], "input": "a" });
        let all = echoed(asked.as_object().unwrap());
        assert_eq!(
            (&all["temperature"], &all["top_p"]),
            (&json!(0.5), &Value::Null)
        );
        assert_eq!(
            all["tools"][0],
            json!({ "type": "function", "name": "f", "parameters": null, "strict": true })
        );
        assert_eq!(all["tool_choice"], "auto");
        assert!(!all.contains_key("input"));
    }
}
