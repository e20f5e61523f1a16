// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers by random JSON schemas: what ends by itself parses and keeps to its schema.

use std::sync::Arc;

use serde_json::{json, Map, Value};
use sislm::{
    Device, Finish, Grammar, GrammarTokens, Guidance, Millionths, ModelName, SamplingConfig,
    Session, SessionConfig,
};

use crate::report::{Failure, Report};

/// Most tokens of an answer.
const TOKENS: u32 = 400;
/// Of so many answers at least this part, in percent, ends by itself: the schemas bound what can be said.
const WHOLE: usize = 90;

/// Makes `count` schemas and an answer by each of the model `name`.
pub(crate) fn run(report: &mut Report, name: &str, count: &str) -> Result<(), Failure> {
    let device = Device::open(Device::PATH)?;
    let name: ModelName = name.parse()?;
    let model = device.model(&name)?.ok_or("the model is not loaded")?;
    let vocabulary = Arc::new(device.vocabulary(&name)?);
    let tokens = GrammarTokens::new(vocabulary, model.end_ids())?;
    let count: usize = count.parse()?;
    let (mut whole, mut cut) = (0, 0);
    let mut wrong = Vec::new();
    let mut session = None;
    for seed in 0..count as u64 {
        let mut random = Random(seed);
        let schema = random.schema(2);
        let config = SessionConfig {
            model: Some(name.clone()),
            max_tokens: TOKENS,
            seed: Some(seed),
            sampling: SamplingConfig {
                temperature: Millionths(1_000_000),
                top_k: 0,
                top_p: Millionths(1_000_000),
                ..SamplingConfig::greedy()
            },
            ..Default::default()
        };
        let session: &mut Session = match &mut session {
            Some(session) => session,
            none => none.insert(device.session(&config)?),
        };
        let (text, finish) = answer(session, &config, &tokens, &schema)?;
        match finish {
            Finish::Stop => whole += 1,
            Finish::Length => cut += 1,
            finish => wrong.push(format!("{schema}: {finish}")),
        }
        let value: Result<Value, _> = serde_json::from_str(&text);
        if finish == Finish::Stop && !value.is_ok_and(|value| keeps(&schema, &value)) {
            wrong.push(format!("{schema}: {text}"));
        }
        if seed < 3 {
            let again = answer(session, &config, &tokens, &schema)?;
            report.equal(&format!("schemas/again-{seed}"), again, (text, finish));
        }
    }
    report.equal("schemas/kept", wrong, Vec::new());
    report.equal("schemas/counted", whole + cut, count);
    println!("# {whole} answers by schemas are whole, {cut} were cut at {TOKENS} tokens");
    report.equal("schemas/whole", whole * 100 >= count * WHOLE, true);
    Ok(())
}

fn answer(
    session: &mut Session,
    config: &SessionConfig,
    tokens: &GrammarTokens,
    schema: &Value,
) -> Result<(String, Finish), Failure> {
    session.configure(config, 0)?;
    let guidance = Guidance {
        vocabulary: tokens.vocabulary().clone(),
        guide: Some(tokens.guide(&Grammar::JsonSchema(schema.clone()))?),
        top: None,
    };
    let mut turn = session.prompt(b"Once upon a time")?.guided(guidance);
    let mut bytes = Vec::new();
    for token in &mut turn {
        bytes.extend(token?.text);
    }
    let finish = turn.finish();
    Ok((String::from_utf8(bytes)?, finish))
}

/// Numbers by a seed (SplitMix64, Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, count: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ mixed >> 31) % u64::from(count)).unwrap_or(0)
    }

    /// A schema that nests at most `depth` deep.
    fn schema(&mut self, depth: u32) -> Value {
        let kinds = if depth == 0 { 6 } else { 8 };
        match self.below(kinds) {
            0 => json!({ "type": "boolean" }),
            1 => json!({ "type": "null" }),
            2 => {
                let least = self.below(50);
                json!({ "type": "integer", "minimum": least, "maximum": least + self.below(1000) })
            }
            3 => json!({ "type": "string", "maxLength": self.below(12) }),
            4 => json!({ "enum": ["red", "two words", 7, null, "\u{e4}\"\\"] }),
            5 => json!({ "type": "string", "pattern": "^[a-f]{2,6}(-[0-9]+)?$" }),
            6 => {
                let least = self.below(3);
                let items = self.schema(depth - 1);
                json!({ "type": "array", "items": items, "minItems": least, "maxItems": least + self.below(3) })
            }
            _ => self.object(depth),
        }
    }

    fn object(&mut self, depth: u32) -> Value {
        let names = ["name", "x", "a b", "\u{20ac}", "quo\"te"];
        let mut properties = Map::new();
        let mut required = Vec::new();
        for name in names.iter().take(1 + self.below(4) as usize) {
            properties.insert((*name).into(), self.schema(depth - 1));
            if self.below(3) > 0 {
                required.push(*name);
            }
        }
        json!({
            "type": "object", "properties": properties, "required": required,
            "additionalProperties": false,
        })
    }
}

/// Whether a value keeps to a schema of [`Random::schema`].
fn keeps(schema: &Value, value: &Value) -> bool {
    let number = |name: &str| schema[name].as_u64();
    if let Some(values) = schema["enum"].as_array() {
        return values.contains(value);
    }
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value
            .as_u64()
            .is_some_and(|found| (number("minimum")..=number("maximum")).contains(&Some(found))),
        "string" => value
            .as_str()
            .is_some_and(|text| match number("maxLength") {
                Some(most) => text.chars().count() as u64 <= most,
                None => is_code(text),
            }),
        "array" => value.as_array().is_some_and(|list| {
            let count = Some(list.len() as u64);
            (number("minItems")..=number("maxItems")).contains(&count)
                && list.iter().all(|item| keeps(&schema["items"], item))
        }),
        "object" => value.as_object().is_some_and(|object| {
            let required = schema["required"].as_array().into_iter().flatten();
            let mut required = required.filter_map(Value::as_str);
            let properties = &schema["properties"];
            required.all(|name| object.contains_key(name))
                && object
                    .iter()
                    .all(|(name, value)| properties.get(name).is_some_and(|of| keeps(of, value)))
        }),
        _ => false,
    }
}

/// Whether a text is as the pattern of the schemas says.
fn is_code(text: &str) -> bool {
    let (letters, digits) = match text.split_once('-') {
        Some((letters, digits)) => (letters, Some(digits)),
        None => (text, None),
    };
    let digits = digits.is_none_or(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    digits
        && (2..=6).contains(&letters.len())
        && letters.bytes().all(|byte| (b'a'..=b'f').contains(&byte))
}
