// SPDX-License-Identifier: MIT OR Apache-2.0
//! JSON in templates: values of it, and the filter that writes it as models have read it.

use std::fmt::Write as _;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::alphabet::Alphabet;

/// Lists and objects within each other.
const DEPTH: usize = 64;
/// Keys and values of schemas that templates look at; they are the same in all texts.
const WORDS: [&str; 24] = [
    "type",
    "function",
    "id",
    "name",
    "description",
    "parameters",
    "arguments",
    "properties",
    "required",
    "items",
    "enum",
    "default",
    "anyOf",
    "oneOf",
    "allOf",
    "additionalProperties",
    "return",
    "object",
    "array",
    "string",
    "number",
    "integer",
    "boolean",
    "null",
];

/// A value of JSON, its strings in `alphabet` if there is one.
pub(super) fn value_of(json: &serde_json::Value, alphabet: Option<&Alphabet>) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::from(()),
        Json::Bool(truth) => Value::from(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64()),
        },
        Json::String(text) => Value::from(hidden(text, alphabet)),
        Json::Array(list) => list.iter().map(|one| value_of(one, alphabet)).collect(),
        Json::Object(object) => {
            let pairs = object.iter();
            let pairs = pairs.map(|(key, one)| (hidden(key, alphabet), value_of(one, alphabet)));
            Value::from_pairs(pairs)
        }
    }
}

/// The strings of `json` that are hidden.
pub(super) fn strings<'a>(json: &'a serde_json::Value, all: &mut Vec<&'a str>) {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => all.push(text),
        Json::Array(list) => list.iter().for_each(|one| strings(one, all)),
        Json::Object(object) => {
            for (key, one) in object {
                all.push(key);
                strings(one, all);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn hidden(text: &str, alphabet: Option<&Alphabet>) -> String {
    match alphabet {
        Some(alphabet) if !WORDS.contains(&text) => alphabet.hide(text),
        _ => text.to_owned(),
    }
}

/// Characters that stand in escapes of hidden strings.
pub(super) const ESCAPES: &str = "\\\"nrtbfu0123456789abcdef";

/// The filter `tojson`: as Python writes it, letters of all languages as they are.
///
/// # Errors
///
/// [`ErrorKind::InvalidOperation`] for what is no JSON, or too deep.
pub(super) fn to_json(
    state: &State<'_, '_>,
    alphabet: Option<&Alphabet>,
    value: &Value,
    indent: Option<Value>,
    options: &Kwargs,
) -> Result<Value, Error> {
    let indent = match indent {
        Some(indent) => Some(indent),
        None => options.get::<Option<Value>>("indent")?,
    };
    // Letters are as they are, in the order that they came in: the usual values.
    let _: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    let indent = indent.and_then(|indent| usize::try_from(indent).ok());
    let mut writer = Writer {
        state,
        text: String::new(),
        alphabet,
        indent: indent.map(|indent| indent.min(16)),
    };
    writer.value(value, 0)?;
    Ok(Value::from(writer.text))
}

struct Writer<'a> {
    state: &'a State<'a, 'a>,
    text: String,
    alphabet: Option<&'a Alphabet>,
    indent: Option<usize>,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let wrong = |sentence: &str| Error::new(ErrorKind::InvalidOperation, sentence.to_owned());
        if depth > DEPTH {
            return Err(wrong(
                "tojson: lists and objects are too deep in each other",
            ));
        }
        self.state.consume_fuel(1)?;
        match value.kind() {
            ValueKind::Undefined | ValueKind::None => self.text += "null",
            ValueKind::Bool => self.text += if value.is_true() { "true" } else { "false" },
            ValueKind::Number => self.text += &value.to_string(),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                self.text.push('[');
                let mut first = true;
                for one in value.try_iter()? {
                    self.next(&mut first, depth);
                    self.value(&one, depth + 1)?;
                }
                self.close(first, depth, ']');
            }
            ValueKind::Map => {
                self.text.push('{');
                let mut first = true;
                for key in value.try_iter()? {
                    self.next(&mut first, depth);
                    self.string(&match key.as_str() {
                        Some(key) => key.to_owned(),
                        None => key.to_string(),
                    });
                    self.text += ": ";
                    self.value(&value.get_item(&key)?, depth + 1)?;
                }
                self.close(first, depth, '}');
            }
            _ => return Err(wrong("tojson: this is no JSON")),
        }
        Ok(())
    }

    fn next(&mut self, first: &mut bool, depth: usize) {
        let between = match (*first, self.indent) {
            (true, _) => "",
            (false, None) => ", ",
            (false, Some(_)) => ",",
        };
        self.text += between;
        *first = false;
        self.line(depth + 1);
    }

    fn close(&mut self, empty: bool, depth: usize, end: char) {
        if !empty {
            self.line(depth);
        }
        self.text.push(end);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.text.push('\n');
            self.text += &" ".repeat(indent * depth);
        }
    }

    /// A string; an escape of what is hidden is hidden as well.
    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            let revealed = self
                .alphabet
                .and_then(|alphabet| alphabet.reveal(character));
            let escape = escape(revealed.unwrap_or(character));
            match (escape, self.alphabet) {
                (None, _) => self.text.push(character),
                (Some(escape), Some(alphabet)) => self.text += &alphabet.hide(&escape),
                (Some(escape), None) => self.text += &escape,
            }
        }
        self.text.push('"');
    }
}

fn escape(character: char) -> Option<String> {
    Some(match character {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        '\u{8}' => "\\b".into(),
        '\u{c}' => "\\f".into(),
        control if control < ' ' => {
            let mut text = String::new();
            // A text takes all that is written to it.
            let _ = write!(text, "\\u{:04x}", u32::from(control));
            text
        }
        _ => return None,
    })
}
