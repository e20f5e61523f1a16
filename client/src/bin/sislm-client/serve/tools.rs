// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions that an answer may, or has to, call: the fields that say so.

use serde_json::{json, Map, Value};
use sislm::{Convention, Grammar, Tool};

use super::calls::CallReader;
use super::error::ApiError;
use super::fields::Fields;

/// Most functions of a request.
const MOST: usize = 128;
/// Longest name of one.
const NAME: usize = 64;

/// Which of the functions is called.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    /// Any, or none.
    Free,
    /// Any.
    Needed,
    /// That one.
    Only(String),
}

/// Functions that an answer may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tools {
    /// All that the model is told of.
    pub list: Vec<Tool>,
    choice: Choice,
    several: bool,
}

impl Tools {
    /// By the fields `tools`, `tool_choice` and `parallel_tool_calls`; None where nothing may be called. Members of a function
    /// are in the member `inner` of their object, or in that itself.
    pub(super) fn of(fields: &Fields<'_>, inner: Option<&str>) -> Result<Option<Self>, ApiError> {
        let given = fields.list("tools")?.unwrap_or_default();
        if given.len() > MOST {
            let sentence = format!("tools is to be a list of at most {MOST}");
            return Err(ApiError::field("tools", sentence));
        }
        let list = given
            .iter()
            .enumerate()
            .map(|(place, value)| tool(&format!("tools[{place}]"), value, inner));
        let list: Vec<Tool> = list.collect::<Result<_, _>>()?;
        let several = fields.boolean("parallel_tool_calls")?.unwrap_or(true);
        let choice = choice(fields, inner, &list)?;
        Ok(match choice {
            Some(choice) if !list.is_empty() => Some(Self {
                list,
                choice,
                several,
            }),
            _ => None,
        })
    }

    /// The grammar of an answer by `convention`, and what finds calls in it.
    pub(super) fn answer(&self, convention: Convention) -> (Option<Grammar>, CallReader) {
        let called: Vec<Tool> = match &self.choice {
            Choice::Only(name) => self
                .list
                .iter()
                .filter(|tool| tool.name == *name)
                .cloned()
                .collect(),
            Choice::Free | Choice::Needed => self.list.clone(),
        };
        let several = self.several && !matches!(self.choice, Choice::Only(_));
        match (&self.choice, convention) {
            (Choice::Free, Convention::Tagged) => {
                let grammar = Grammar::calls(convention, &called, several, true);
                (Some(grammar), CallReader::marked(convention))
            }
            // There is no mark: what reads as a call is one.
            (Choice::Free, _) => (None, CallReader::likely(called, several)),
            (Choice::Needed | Choice::Only(_), _) => {
                let grammar = Grammar::calls(convention, &called, several, false);
                (Some(grammar), CallReader::sure(convention))
            }
        }
    }
}

/// What `tool_choice` says; None for no call.
fn choice(
    fields: &Fields<'_>,
    inner: Option<&str>,
    list: &[Tool],
) -> Result<Option<Choice>, ApiError> {
    const FIELD: &str = "tool_choice";
    let choice = match fields.value(FIELD) {
        None => Choice::Free,
        Some(Value::String(word)) => match word.as_str() {
            "none" => return Ok(None),
            "auto" => Choice::Free,
            "required" => Choice::Needed,
            _ => {
                return Err(ApiError::field(
                    FIELD,
                    "tool_choice is to be none, auto, required or a function",
                ))
            }
        },
        Some(object) => {
            if object.get("type").and_then(Value::as_str) != Some("function") {
                let sentence =
                    "tool_choice is to be none, auto, required or an object of type function";
                return Err(ApiError::unsupported(FIELD, sentence));
            }
            let within = inner.map_or(Some(object), |inner| object.get(inner));
            match within
                .and_then(|within| within.get("name"))
                .and_then(Value::as_str)
            {
                Some(name) if list.iter().any(|tool| tool.name == name) => {
                    Choice::Only(name.into())
                }
                _ => {
                    return Err(ApiError::field(
                        FIELD,
                        "tool_choice is to name one of tools",
                    ))
                }
            }
        }
    };
    if choice == Choice::Needed && list.is_empty() {
        return Err(ApiError::field(
            FIELD,
            "tool_choice requires a call: give tools",
        ));
    }
    Ok(Some(choice))
}

fn tool(place: &str, value: &Value, inner: Option<&str>) -> Result<Tool, ApiError> {
    if value.get("type").and_then(Value::as_str) != Some("function") {
        let sentence = format!("{place} is to be of type function: there are no others here");
        return Err(ApiError::unsupported(place, sentence));
    }
    let wrong = |sentence: String| Err(ApiError::field(place, sentence));
    let Some(function) = inner.map_or(Some(value), |inner| value.get(inner)) else {
        return wrong(format!(
            "{place} is to have a member {}",
            inner.unwrap_or_default()
        ));
    };
    let name = function
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !(1..=NAME).contains(&name.len()) || !name.chars().all(letter) {
        return wrong(format!(
            "the name of {place} is to be 1 to {NAME} letters, digits, _ and -"
        ));
    }
    let description = match function.get("description") {
        None | Some(Value::Null) => "",
        Some(Value::String(text)) => text,
        Some(_) => return wrong(format!("the description of {place} is to be a text")),
    };
    let mut parameters = match function.get("parameters") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(schema)) => schema.clone(),
        Some(_) => {
            return wrong(format!(
                "parameters of {place} is to be a JSON schema, which is an object"
            ))
        }
    };
    if parameters.get("type").is_some_and(|kind| kind != "object") {
        return wrong(format!(
            "parameters of {place} is to be a schema of type object"
        ));
    }
    if !parameters.contains_key("type") {
        parameters.insert("type".into(), json!("object"));
    }
    if !parameters.contains_key("properties") {
        parameters.insert("properties".into(), json!({}));
    }
    Ok(Tool {
        name: name.into(),
        description: description.into(),
        parameters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut object: Value, more: Value) -> Result<Option<Tools>, ApiError> {
        for (name, value) in more.as_object().unwrap() {
            object[name] = value.clone();
        }
        Tools::of(&Fields::new(object.as_object().unwrap()), Some("function"))
    }

    fn look() -> Value {
        json!({ "tools": [{ "type": "function", "function": { "name": "look" } }] })
    }

    #[test]
    fn functions_are_called_as_the_choice_says() {
        let named =
            json!({ "tool_choice": { "type": "function", "function": { "name": "look" } } });
        for (more, wanted) in [
            (json!({}), Some(Choice::Free)),
            (json!({ "tool_choice": "none" }), None),
            (json!({ "tool_choice": "required" }), Some(Choice::Needed)),
            (named, Some(Choice::Only("look".into()))),
        ] {
            let found = of(look(), more).unwrap();
            assert_eq!(found.map(|tools| tools.choice), wanted);
        }
        assert_eq!(
            of(json!({ "tools": [] }), json!({ "tool_choice": "auto" })),
            Ok(None)
        );
        let one = of(look(), json!({ "parallel_tool_calls": false }))
            .unwrap()
            .unwrap();
        assert!(!one.several);
        let response = json!({ "tools": [{ "type": "function", "name": "look" }],
            "tool_choice": { "type": "function", "name": "look" } });
        let found = Tools::of(&Fields::new(response.as_object().unwrap()), None);
        assert_eq!(found.unwrap().unwrap().choice, Choice::Only("look".into()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let function =
            |function: Value| json!({ "tools": [{ "type": "function", "function": function }] });
        for (object, more, param) in [
            (json!({ "tools": 7 }), json!({}), "tools"),
            (json!({ "tools": [{}] }), json!({}), "tools[0]"),
            (
                json!({ "tools": [{ "type": "web_search" }] }),
                json!({}),
                "tools[0]",
            ),
            (function(json!({ "name": "a b" })), json!({}), "tools[0]"),
            (
                function(json!({ "name": "a", "parameters": [] })),
                json!({}),
                "tools[0]",
            ),
            (
                function(json!({ "name": "a", "parameters": { "type": "array" } })),
                json!({}),
                "tools[0]",
            ),
            (look(), json!({ "tool_choice": "look" }), "tool_choice"),
            (
                look(),
                json!({ "tool_choice": { "type": "function", "function": { "name": "x" } } }),
                "tool_choice",
            ),
            (
                json!({}),
                json!({ "tool_choice": "required" }),
                "tool_choice",
            ),
        ] {
            let error = of(object, more).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], param);
        }
    }
}
