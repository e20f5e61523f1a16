// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls of functions in the text of an answer, found while it comes.

use std::mem;

use serde_json::Value;
use sislm::{Convention, Tool, CALL_MARK};

use super::nesting::Nesting;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Text.
    Text(String),
    /// A call of this function begins.
    Call(String),
    /// More of the arguments of the last call.
    Arguments(String),
}

/// Where in an answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In text before a mark.
    Text,
    /// In text without calls.
    Plain,
    /// In what may be calls, or may be text, as the end will show.
    Unsure,
    /// Before a call's object.
    Between,
    /// In it, before its arguments.
    Head,
    /// In the arguments.
    Arguments,
}

/// Finds calls in an answer.
#[derive(Clone, Debug)]
pub(super) struct CallReader {
    at: At,
    held: String,
    key: &'static str,
    tools: Vec<Tool>,
    several: bool,
    nesting: Nesting,
    calls: u32,
}

impl CallReader {
    fn new(at: At, key: &'static str) -> Self {
        Self {
            at,
            held: String::new(),
            key,
            tools: Vec::new(),
            several: false,
            nesting: Nesting::default(),
            calls: 0,
        }
    }

    /// Of an answer by a grammar, in which a mark ends the text.
    pub(super) fn marked(convention: Convention) -> Self {
        Self::new(At::Text, convention.key())
    }

    /// Of an answer by a grammar, all of which is calls.
    pub(super) fn sure(convention: Convention) -> Self {
        Self::new(At::Between, convention.key())
    }

    /// Of a free answer: one that is an object, or a list of them, with the name of one of `tools` and arguments.
    pub(super) fn likely(tools: Vec<Tool>, several: bool) -> Self {
        Self {
            tools,
            several,
            ..Self::new(At::Unsure, "")
        }
    }

    /// Whether there are calls, all of them whole.
    pub(super) fn called(&self) -> bool {
        self.calls > 0 && !matches!(self.at, At::Head | At::Arguments)
    }

    /// Takes more of the answer.
    pub(super) fn push(&mut self, text: &str) -> Vec<Said> {
        let mut said = Vec::new();
        for character in text.chars() {
            self.take(character, &mut said);
        }
        if self.at == At::Text {
            // What may be the beginning of the mark waits.
            let starts = (0..self.held.len()).filter(|&start| self.held.is_char_boundary(start));
            let kept = starts
                .into_iter()
                .find(|&start| CALL_MARK.starts_with(&self.held[start..]));
            let rest = self.held.split_off(kept.unwrap_or(self.held.len()));
            let text = mem::replace(&mut self.held, rest);
            add(&mut said, text, Said::Text);
        }
        if self.at == At::Plain {
            let text = mem::take(&mut self.held);
            add(&mut said, text, Said::Text);
        }
        if self.at == At::Arguments {
            let text = mem::take(&mut self.held);
            add(&mut said, text, Said::Arguments);
        }
        said
    }

    fn take(&mut self, character: char, said: &mut Vec<Said>) {
        match self.at {
            At::Text => {
                self.held.push(character);
                if let Some(text) = self.held.strip_suffix(CALL_MARK) {
                    let text = text.trim_end().to_owned();
                    self.held.clear();
                    self.at = At::Between;
                    add(said, text, Said::Text);
                }
            }
            At::Unsure => {
                self.held.push(character);
                let begun = self.held.trim_start();
                if !begun.is_empty() && !begun.starts_with(['{', '[']) {
                    self.at = At::Plain;
                }
            }
            At::Plain => self.held.push(character),
            At::Between if character == '{' => self.at = At::Head,
            At::Between => {}
            At::Head => {
                self.held.push(character);
                let head = self.held.strip_suffix(self.key);
                if let Some((_, name)) = head.and_then(|head| head.rsplit_once('"')) {
                    said.push(Said::Call(name.into()));
                    self.calls += 1;
                    self.held.clear();
                    self.nesting = Nesting::default();
                    self.at = At::Arguments;
                }
            }
            At::Arguments => {
                self.held.push(character);
                if self.nesting.ends(character) {
                    add(said, mem::take(&mut self.held), Said::Arguments);
                    self.at = At::Between;
                }
            }
        }
    }

    /// What is left at the end.
    pub(super) fn finish(&mut self) -> Vec<Said> {
        let held = mem::take(&mut self.held);
        let mut said = Vec::new();
        match self.at {
            At::Text | At::Plain => add(&mut said, held, Said::Text),
            At::Unsure => match self.read(&held) {
                Some(calls) => {
                    self.calls = u32::try_from(calls.len()).unwrap_or(u32::MAX);
                    for (name, arguments) in calls {
                        said.extend([Said::Call(name), Said::Arguments(arguments)]);
                    }
                }
                None => add(&mut said, held, Said::Text),
            },
            At::Between | At::Head | At::Arguments => {}
        }
        said
    }

    /// The calls that a text is; None when it is something else.
    fn read(&self, text: &str) -> Option<Vec<(String, String)>> {
        let list = match serde_json::from_str(text).ok()? {
            Value::Array(list) if self.several || list.len() == 1 => list,
            object @ Value::Object(_) => vec![object],
            _ => return None,
        };
        let call = |object: &Value| {
            let name = object.get("name")?.as_str()?;
            let arguments = object.get("arguments").or(object.get("parameters"))?;
            let known = self.tools.iter().any(|tool| tool.name == name) && arguments.is_object();
            known.then(|| (name.to_owned(), arguments.to_string()))
        };
        let calls: Vec<_> = list.iter().map(call).collect::<Option<_>>()?;
        (!calls.is_empty()).then_some(calls)
    }
}

fn add(said: &mut Vec<Said>, text: String, kind: fn(String) -> Said) {
    if !text.is_empty() {
        said.push(kind(text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    /// What an answer says that comes in pieces of this many characters, parts of a kind joined.
    fn said(mut reader: CallReader, text: &str, size: usize) -> (Vec<Said>, bool) {
        let characters: Vec<char> = text.chars().collect();
        let pieces = characters.chunks(size).map(String::from_iter);
        let mut all: Vec<Said> = pieces.flat_map(|piece| reader.push(&piece)).collect();
        all.extend(reader.finish());
        let mut joined: Vec<Said> = Vec::new();
        for said in all {
            match (joined.last_mut(), said) {
                (Some(Said::Text(text)), Said::Text(more)) => *text += &more,
                (Some(Said::Arguments(text)), Said::Arguments(more)) => *text += &more,
                (_, said) => joined.push(said),
            }
        }
        (joined, reader.called())
    }

    fn call(name: &str, arguments: &str) -> [Said; 2] {
        [Said::Call(name.into()), Said::Arguments(arguments.into())]
    }

    #[test]
    fn calls_are_found_however_they_come() {
        let first = r#"{"a": "}\"{", "b": [{"c": 1}]}"#;
        let text = format!(
            "Well <tool.\n<tool_call>\n{{\"name\": \"f\", \"arguments\": {first}}}\n</tool_call>\n<tool_call>\n{{\"name\": \
             \"g\", \"arguments\": {{}}}}\n</tool_call>"
        );
        let wanted = [
            &[Said::Text("Well <tool.".into())][..],
            &call("f", first),
            &call("g", "{}"),
        ]
        .concat();
        for size in [1, 2, 7, 1000] {
            let mut found = said(CallReader::marked(Convention::Tagged), &text, size);
            // White space before a mark is given where it came alone.
            if let Some(Said::Text(text)) = found.0.first_mut() {
                *text = text.trim_end().into();
            }
            assert_eq!(found, (wanted.clone(), true), "{size}");
        }
        let listed = format!(
            r#"[{{"name": "f", "arguments": {first}}}, {{"name": "g", "arguments": {{}}}}]"#
        );
        let found = said(CallReader::sure(Convention::Listed), &listed, 3);
        assert_eq!(found, ([call("f", first), call("g", "{}")].concat(), true));
    }

    #[test]
    fn a_call_that_is_cut_off_is_none() {
        let text = r#"{"name": "f", "parameters": {"a": 1"#;
        let found = said(CallReader::sure(Convention::Bare), text, 4);
        assert_eq!(found, (call("f", r#"{"a": 1"#).to_vec(), false));
        let found = said(CallReader::marked(Convention::Tagged), "a <tool_c", 1);
        assert_eq!(found, (vec![Said::Text("a <tool_c".into())], false));
    }

    #[test]
    fn what_reads_as_a_call_is_one() {
        let tool = Tool {
            name: "f".into(),
            description: String::new(),
            parameters: Map::new(),
        };
        let reader = || CallReader::likely(vec![tool.clone()], true);
        for text in [
            r#" {"name": "f", "parameters": {"a":1}}"#,
            r#"[{"name":"f","arguments":{"a":1}}]"#,
        ] {
            assert_eq!(
                said(reader(), text, 2),
                (call("f", r#"{"a":1}"#).to_vec(), true)
            );
        }
        for text in [
            "Hello {\"name\": \"f\", \"parameters\": {}}",
            r#"{"name": "g", "parameters": {}}"#,
            "[1]",
            "{",
            "[]",
            r#"{"name": "f"}"#,
        ] {
            assert_eq!(
                said(reader(), text, 2),
                (vec![Said::Text(text.into())], false)
            );
        }
    }
}
