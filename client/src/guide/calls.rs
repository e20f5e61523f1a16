// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grammars of answers that call functions.

use serde_json::{json, Map, Value};

use super::Grammar;
use crate::{Convention, Tool, CALL_MARK};

impl Grammar {
    /// Calls of `tools`, as `convention` has them: at least one, and no more without `several`. With `text`, an answer may
    /// be text up to the first call, or nothing else; that is for [`Convention::Tagged`] alone.
    pub fn calls(convention: Convention, tools: &[Tool], several: bool, text: bool) -> Self {
        let [first, between, last, before, after] = convention.around();
        let names: Vec<String> = (0..tools.len())
            .map(|number| format!("call_{number}"))
            .collect();
        let rest = match several && convention != Convention::Bare {
            true => format!(" ({} {}any)*", literal(between), optional(before)),
            false => String::new(),
        };
        let mut lark = String::new();
        if text {
            // The mark ends the text, whatever came before it.
            let rest_of_mark = before.strip_prefix(CALL_MARK).unwrap_or(before);
            lark += &format!("start: TEXT | marked {}any{rest}\n", optional(rest_of_mark));
            lark += &format!("marked[lazy]: /(.|\\n)*{CALL_MARK}/\n");
            lark += &format!("TEXT: /(.|\\n)*/ & ~/(.|\\n)*{CALL_MARK}(.|\\n)*/\n");
        } else {
            let parts = [
                &optional(first)[..],
                &optional(before),
                "any",
                &rest,
                " ",
                &optional(last),
            ];
            lark += &format!("start: {}\n", parts.concat());
        }
        lark += &format!("any: {}\n", names.join(" | "));
        for (name, tool) in names.iter().zip(tools) {
            let head = format!("{{\"name\": \"{}{}", tool.name, convention.key());
            let tail = format!("}}{after}");
            let schema = arguments(&tool.parameters);
            lark += &format!(
                "{name}: {} %json {schema} {}\n",
                literal(&head),
                literal(&tail)
            );
        }
        Self::Lark(lark)
    }
}

/// The schema of a function's arguments: an object, without members that are not named where it does not say.
fn arguments(parameters: &Map<String, Value>) -> Value {
    let mut schema = parameters.clone();
    schema.entry("type").or_insert_with(|| json!("object"));
    let open = [
        "additionalProperties",
        "patternProperties",
        "anyOf",
        "oneOf",
        "allOf",
        "$ref",
    ];
    if !open.iter().any(|name| schema.contains_key(*name)) {
        schema.insert("additionalProperties".into(), json!(false));
    }
    let mut schema = Value::Object(schema);
    super::grammar::set_spaces(&mut schema);
    schema
}

/// A text as a grammar has it.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

/// The same and a space; nothing for no text.
fn optional(text: &str) -> String {
    match text.is_empty() {
        true => String::new(),
        false => literal(text) + " ",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::guide::{Allowed, GrammarTokens};
    use crate::Vocabulary;

    /// A token for each byte, and one that ends an answer.
    fn tokens() -> GrammarTokens {
        let mut text: Vec<u8> = (0..=0xfe).collect();
        text.extend(b"</s>");
        let mut ends: Vec<u32> = (1..=255).collect();
        ends.push(259);
        let mut kinds = vec![1; 256];
        kinds[255] = 3;
        GrammarTokens::new(Arc::new(Vocabulary::new(kinds, ends, text)), &[255]).unwrap()
    }

    /// How much of `text` is allowed, and whether the answer may, and must, end there.
    fn followed(grammar: &Grammar, text: &str) -> (usize, bool, bool) {
        let tokens = tokens();
        let mut guide = tokens.guide(grammar).unwrap();
        let may = |allowed: &Allowed, id: u32| match allowed {
            Allowed::Nothing => id == 255,
            Allowed::Only(only) => *only == id,
            Allowed::Mask(mask) => mask[(id / 32) as usize] >> (id % 32) & 1 != 0,
        };
        for (place, byte) in text.bytes().enumerate() {
            let allowed = guide.allowed().unwrap();
            if !may(&allowed, u32::from(byte)) {
                return (place, may(&allowed, 255), allowed == Allowed::Nothing);
            }
            guide.take(u32::from(byte)).unwrap();
        }
        let allowed = guide.allowed().unwrap();
        (text.len(), may(&allowed, 255), allowed == Allowed::Nothing)
    }

    fn tools() -> [Tool; 2] {
        let tool = |name: &str, parameters: Value| Tool {
            name: name.into(),
            description: String::new(),
            parameters: parameters.as_object().unwrap().clone(),
        };
        let place = json!({
            "type": "object", "properties": { "in": { "$ref": "#/$defs/place" } }, "required": ["in"],
            "$defs": { "place": { "enum": ["sea", "land"] } },
        });
        [tool("look", place), tool("stop", json!({}))]
    }

    const LOOK: &str =
        "<tool_call>\n{\"name\": \"look\", \"arguments\": {\"in\": \"sea\"}}\n</tool_call>";
    const STOP: &str = "<tool_call>\n{\"name\": \"stop\", \"arguments\": {}}\n</tool_call>";

    #[test]
    fn calls_that_are_required_are_all_that_there_is() {
        let one = Grammar::calls(Convention::Tagged, &tools(), false, false);
        assert_eq!(followed(&one, LOOK), (LOOK.len(), true, true));
        assert_eq!(followed(&one, STOP), (STOP.len(), true, true));
        assert_eq!(followed(&one, "a").0, 0);
        let wrong = LOOK.replace("sea", "sky");
        assert!(followed(&one, &wrong).0 < wrong.len());
        let two = format!("{LOOK}\n{STOP}");
        assert_eq!(followed(&one, &two).0, LOOK.len());
        let several = Grammar::calls(Convention::Tagged, &tools(), true, false);
        assert_eq!(followed(&several, &two), (two.len(), true, false));
    }

    #[test]
    fn text_may_come_before_a_call() {
        let grammar = Grammar::calls(Convention::Tagged, &tools(), true, true);
        for text in ["", "I look <tool_\nat the sea", "<tool_call"] {
            let all = followed(&grammar, text);
            assert_eq!(all, (text.len(), true, false), "{text}");
        }
        let all = format!("Yes.\n{LOOK}\n{STOP}");
        assert_eq!(followed(&grammar, &all), (all.len(), true, false));
        let wrong = "Yes. <tool_call>\n[";
        assert_eq!(followed(&grammar, wrong), (wrong.len() - 1, false, false));
    }

    #[test]
    fn other_conventions_have_no_marks() {
        let listed = Grammar::calls(Convention::Listed, &tools(), true, false);
        let two =
            r#"[{"name": "look", "arguments": {"in": "sea"}}, {"name": "stop", "arguments": {}}]"#;
        assert_eq!(followed(&listed, two), (two.len(), true, true));
        let bare = Grammar::calls(Convention::Bare, &tools(), true, false);
        let one = r#"{"name": "look", "parameters": {"in": "land"}}"#;
        assert_eq!(followed(&bare, one), (one.len(), true, true));
    }
}
