// SPDX-License-Identifier: MIT OR Apache-2.0
//! Log-probabilities of tokens, as completions, chats and responses have them.

use serde_json::{json, Map, Value};
use sislm::Token;

use super::error::ApiError;
use super::fields::Fields;

/// Most tokens that are told in the place of one.
const TOP: u32 = 20;

/// How many of the most likely tokens a chat is to tell; None for no log-probabilities.
pub(super) fn of_chat(fields: &Fields<'_>) -> Result<Option<u32>, ApiError> {
    let top = fields.integer("top_logprobs", 0..=TOP)?;
    let wanted = fields.boolean("logprobs")?.unwrap_or(false);
    match (wanted, top) {
        (true, top) => Ok(Some(top.unwrap_or(0))),
        (false, None | Some(0)) => Ok(None),
        (false, Some(_)) => {
            let sentence = "top_logprobs is for answers with logprobs: set that to true";
            Err(ApiError::field("top_logprobs", sentence))
        }
    }
}

/// The same of a completion, whose field is the number; false is none, as routers say it.
pub(super) fn of_completion(fields: &Fields<'_>) -> Result<Option<u32>, ApiError> {
    match fields.value("logprobs") {
        Some(Value::Bool(false)) => Ok(None),
        _ => fields.integer("logprobs", 0..=TOP),
    }
}

/// The same of a response, which asks for them by `include`, or by the number.
pub(super) fn of_response(fields: &Fields<'_>) -> Result<Option<u32>, ApiError> {
    let top = fields.integer("top_logprobs", 0..=TOP)?;
    let include = fields.list("include")?.unwrap_or_default();
    let wanted = include
        .iter()
        .any(|name| name == "message.output_text.logprobs");
    let top = top.unwrap_or(0);
    Ok((wanted || top > 0).then_some(top))
}

/// As a chat has them; null without any.
pub(super) fn chat(tokens: &[Token]) -> Value {
    let content = response(tokens);
    match content.is_empty() {
        true => Value::Null,
        false => json!({ "content": content, "refusal": null }),
    }
}

/// As a text of a response has them.
pub(super) fn response(tokens: &[Token]) -> Vec<Value> {
    told(tokens).map(chat_token).collect()
}

fn chat_token((token, log_probability): (&Token, i32)) -> Value {
    let mut object = entry(&token.text, log_probability);
    let top = token.top.iter();
    let top = top.map(|likely| entry(&likely.text, likely.log_probability));
    object["top_logprobs"] = top.collect();
    object
}

/// As a completion has them, its first token `offset` characters behind the start of the text; null without any.
pub(super) fn completion(tokens: &[Token], mut offset: usize) -> Value {
    let (mut texts, mut scores, mut tops, mut offsets) = (vec![], vec![], vec![], vec![]);
    for token in with_text(tokens) {
        let text = text(&token.text);
        let top = token.top.iter().rev();
        // Of two tokens that read alike the likelier one is told.
        let top = top.map(|likely| (self::text(&likely.text), natural(likely.log_probability)));
        let top = Value::Object(top.collect::<Map<String, Value>>());
        // Nothing comes before the first token of a prompt.
        tops.push(token.log_probability.map_or(Value::Null, |_| top));
        scores.push(token.log_probability.map_or(Value::Null, natural));
        offsets.push(json!(offset));
        offset += text.chars().count();
        texts.push(json!(text));
    }
    match texts.is_empty() {
        true => Value::Null,
        false => json!({
            "tokens": texts, "token_logprobs": scores, "top_logprobs": tops, "text_offset": offsets,
        }),
    }
}

/// Characters of tokens, as the offsets of a completion count them.
pub(super) fn characters(tokens: &[Token]) -> usize {
    let counts = with_text(tokens).map(|token| text(&token.text).chars().count());
    counts.sum()
}

/// The tokens that are told: those with text, and a log-probability.
fn told(tokens: &[Token]) -> impl Iterator<Item = (&Token, i32)> {
    with_text(tokens).filter_map(|token| Some((token, token.log_probability?)))
}

fn with_text(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    tokens.iter().filter(|token| !token.text.is_empty())
}

fn entry(bytes: &[u8], log_probability: i32) -> Value {
    json!({ "token": text(bytes), "logprob": natural(log_probability), "bytes": bytes })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Millionths as a number.
fn natural(log_probability: i32) -> Value {
    json!(f64::from(log_probability) / 1e6)
}

#[cfg(test)]
mod tests {
    use sislm::Likely;

    use super::*;

    fn token(text: &str, log_probability: i32) -> Token {
        let likely = |id, text: &str, log_probability| Likely {
            id,
            log_probability,
            text: text.into(),
        };
        Token {
            id: 7,
            text: text.into(),
            log_probability: Some(log_probability),
            top: vec![likely(3, "the", -500_000), likely(7, text, log_probability)],
        }
    }

    #[test]
    fn a_chat_has_an_entry_for_each_token_with_text() {
        let found = chat(&[token("\u{e9}a", -1_500_000), token("", -1)]);
        assert_eq!(
            found,
            json!({ "content": [{
                "token": "\u{e9}a", "logprob": -1.5, "bytes": [0xc3, 0xa9, 0x61], "top_logprobs": [
                    { "token": "the", "logprob": -0.5, "bytes": [0x74, 0x68, 0x65] },
                    { "token": "\u{e9}a", "logprob": -1.5, "bytes": [0xc3, 0xa9, 0x61] },
                ],
            }], "refusal": null })
        );
        assert_eq!(chat(&[]), Value::Null);
    }

    #[test]
    fn a_completion_has_lists_of_them() {
        let tokens = [token("\u{e9}a", -1_500_000), token("b", -250_000)];
        let found = completion(&tokens, 3);
        assert_eq!(found["tokens"], json!(["\u{e9}a", "b"]));
        assert_eq!(found["token_logprobs"], json!([-1.5, -0.25]));
        assert_eq!(found["text_offset"], json!([3, 5]));
        assert_eq!(found["top_logprobs"][1], json!({ "b": -0.25, "the": -0.5 }));
        assert_eq!(characters(&tokens), 3);
        let first = Token {
            log_probability: None,
            top: Vec::new(),
            ..token("a", 0)
        };
        let found = completion(&[first, token("b", -250_000)], 0);
        assert_eq!(found["token_logprobs"], json!([null, -0.25]));
        assert_eq!(found["top_logprobs"][0], Value::Null);
        assert_eq!(found["text_offset"], json!([0, 1]));
        assert_eq!(completion(&[], 0), Value::Null);
    }

    #[test]
    fn the_most_likely_tokens_need_log_probabilities() {
        let of = |object: Value| {
            let fields = object.as_object().unwrap().clone();
            of_chat(&Fields::new(&fields))
        };
        assert_eq!(of(json!({ "logprobs": true })), Ok(Some(0)));
        assert_eq!(
            of(json!({ "logprobs": true, "top_logprobs": 5 })),
            Ok(Some(5))
        );
        assert_eq!(
            of(json!({ "logprobs": false, "top_logprobs": 0 })),
            Ok(None)
        );
        for wrong in [
            json!({ "top_logprobs": 2 }),
            json!({ "logprobs": true, "top_logprobs": 21 }),
        ] {
            let error = of(wrong).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], "top_logprobs");
        }
        let of = |object: Value| of_response(&Fields::new(object.as_object().unwrap()));
        assert_eq!(of(json!({ "include": [] })), Ok(None));
        let include = [
            "reasoning.encrypted_content",
            "message.output_text.logprobs",
        ];
        assert_eq!(of(json!({ "include": include })), Ok(Some(0)));
        assert_eq!(of(json!({ "top_logprobs": 2 })), Ok(Some(2)));
        let object = json!({ "logprobs": false });
        let fields = Fields::new(object.as_object().unwrap());
        assert_eq!(of_completion(&fields), Ok(None));
    }
}
