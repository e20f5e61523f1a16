// SPDX-License-Identifier: MIT OR Apache-2.0
//! The format that an answer is to have: free text, or JSON.

use serde_json::{Map, Value};
use sislm::Grammar;

use super::error::ApiError;
use super::fields::Fields;

/// By the field `response_format`; None for free text.
pub(super) fn response_format(fields: &Fields<'_>) -> Result<Option<Grammar>, ApiError> {
    const NAME: &str = "response_format";
    let Some(format) = fields.object(NAME)? else {
        return Ok(None);
    };
    let inner = format.get("json_schema").and_then(Value::as_object);
    grammar(NAME, format, inner)
}

/// By the member `format` of the field `text`, as responses have it.
pub(super) fn text_format(fields: &Fields<'_>) -> Result<Option<Grammar>, ApiError> {
    let format = fields.object("text")?.and_then(|text| text.get("format"));
    match format {
        None | Some(Value::Null) => Ok(None),
        Some(format) => grammar(
            "text.format",
            format.as_object().unwrap_or(&Map::new()),
            format.as_object(),
        ),
    }
}

/// What `format` says; a schema is in `inner`.
fn grammar(
    name: &str,
    format: &Map<String, Value>,
    inner: Option<&Map<String, Value>>,
) -> Result<Option<Grammar>, ApiError> {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(Grammar::json_object())),
        Some("json_schema") => match inner.and_then(|inner| inner.get("schema")) {
            Some(schema) if schema.is_object() || schema == &Value::Bool(true) => {
                Ok(Some(Grammar::JsonSchema(schema.clone())))
            }
            _ => {
                let sentence = format!("{name} is to have a schema, which is an object");
                Err(ApiError::field(name, sentence))
            }
        },
        _ => {
            let sentence = format!("{name} is to be of type text, json_object or json_schema");
            Err(ApiError::unsupported(name, sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_where_each_endpoint_has_it() {
        let schema = json!({ "type": "object" });
        let format = json!({ "type": "json_schema", "name": "a", "schema": schema });
        let chat = json!({ "response_format": { "type": "json_schema", "json_schema": format } });
        let responses = json!({ "text": { "format": format } });
        let wanted = Ok(Some(Grammar::JsonSchema(schema)));
        let of = |object: &Value| object.as_object().unwrap().clone();
        assert_eq!(response_format(&Fields::new(&of(&chat))), wanted);
        assert_eq!(text_format(&Fields::new(&of(&responses))), wanted);
        for free in [json!({}), json!({ "response_format": { "type": "text" } })] {
            assert_eq!(response_format(&Fields::new(&of(&free))), Ok(None));
        }
        let object = json!({ "response_format": { "type": "json_object" } });
        let found = response_format(&Fields::new(&of(&object)));
        assert_eq!(found, Ok(Some(Grammar::json_object())));
    }

    #[test]
    fn what_is_no_format_is_named() {
        for format in [
            json!({ "type": "xml" }),
            json!({}),
            json!({ "type": "json_schema" }),
            json!({ "type": "json_schema", "json_schema": { "schema": 7 } }),
        ] {
            let object = json!({ "response_format": format });
            let fields = object.as_object().unwrap().clone();
            let error = response_format(&Fields::new(&fields)).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], "response_format");
        }
    }
}
