// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a request wants its tokens drawn and its turns ended.

use serde_json::Value;
use sislm::{Bias, Millionths, SessionConfig, STOP_BYTES, STOP_MAX};

use super::error::ApiError;
use super::fields::{signed, Fields};

/// The bias by which the API bans a token.
const BANNED: i32 = -100_000_000;

/// Changes `config` as the fields say that chat and completions have in common. Those left out stay as they are.
pub(super) fn apply(fields: &Fields<'_>, config: &mut SessionConfig) -> Result<(), ApiError> {
    let sampling = &mut config.sampling;
    if let Some(temperature) = fields.millionths("temperature")? {
        sampling.temperature = temperature;
    }
    if let Some(top_p) = fields.millionths("top_p")? {
        // All probability mass is that of one token at least.
        sampling.top_p = top_p.max(Millionths(1));
    }
    // -1 is how some servers say all.
    match fields.value("top_k").and_then(Value::as_i64) {
        Some(-1) => sampling.top_k = 0,
        _ => {
            if let Some(top_k) = fields.integer("top_k", 0..=u32::MAX)? {
                sampling.top_k = top_k;
            }
        }
    }
    if let Some(min_p) = fields.millionths("min_p")? {
        sampling.min_p = min_p;
    }
    if let Some(typical_p) = fields.millionths("typical_p")? {
        sampling.typical_p = typical_p;
    }
    for name in ["repeat_penalty", "repetition_penalty"] {
        if let Some(penalty) = fields.millionths(name)? {
            sampling.repeat_penalty = penalty;
        }
    }
    if let Some(last) = fields.integer("repeat_last_n", 0..=u32::MAX)? {
        sampling.repeat_last = last;
    }
    if let Some(penalty) = fields.signed("presence_penalty")? {
        sampling.presence_penalty = penalty;
    }
    if let Some(penalty) = fields.signed("frequency_penalty")? {
        sampling.frequency_penalty = penalty;
    }
    if let Some(deadline) = fields.integer("deadline_ms", 1..=u32::MAX)? {
        config.deadline_ms = deadline;
    }
    if let Some(seed) = fields.seed("seed")? {
        config.seed = Some(seed);
    }
    if let Some(ignore_eos) = fields.boolean("ignore_eos")? {
        config.ignore_eos = ignore_eos;
    }
    config.stop = stop(fields)?;
    config.stop_ids = stop_ids(fields)?;
    config.biases = biases(fields)?;
    Ok(())
}

/// The texts of `stop`: one, or a list.
fn stop(fields: &Fields<'_>) -> Result<Vec<Vec<u8>>, ApiError> {
    let wrong = || {
        let sentence =
            format!("stop is to be a text, or up to {STOP_MAX} texts, of 1 to {STOP_BYTES} bytes");
        ApiError::field("stop", sentence)
    };
    let texts = match fields.value("stop") {
        None => return Ok(Vec::new()),
        Some(Value::Array(texts)) => texts.as_slice(),
        Some(text) => std::slice::from_ref(text),
    };
    if texts.len() > STOP_MAX as usize {
        return Err(wrong());
    }
    let bytes = |text: &Value| {
        let text = text.as_str()?;
        (1..=STOP_BYTES as usize)
            .contains(&text.len())
            .then(|| text.as_bytes().to_vec())
    };
    texts
        .iter()
        .map(|text| bytes(text).ok_or_else(wrong))
        .collect()
}

/// The ids of `stop_token_ids`.
fn stop_ids(fields: &Fields<'_>) -> Result<Vec<u32>, ApiError> {
    const NAME: &str = "stop_token_ids";
    let ids = fields.list(NAME)?.unwrap_or_default();
    let found: Option<Vec<u32>> = ids.iter().map(id).collect();
    found
        .filter(|ids| ids.len() <= STOP_MAX as usize)
        .ok_or_else(|| {
            ApiError::field(
                NAME,
                format!("{NAME} is to be up to {STOP_MAX} ids of tokens"),
            )
        })
}

/// The biases of `logit_bias`: an object of numbers by id.
fn biases(fields: &Fields<'_>) -> Result<Vec<Bias>, ApiError> {
    const NAME: &str = "logit_bias";
    let Some(object) = fields.object(NAME)? else {
        return Ok(Vec::new());
    };
    let bias = |(id, bias): (&String, &Value)| {
        let bias = signed(bias)?;
        Some(Bias {
            id: id.parse().ok()?,
            bias: (bias > BANNED).then_some(bias),
        })
    };
    let found: Option<Vec<Bias>> = object.iter().map(bias).collect();
    found.ok_or_else(|| {
        let sentence =
            "logit_bias is to be an object of numbers from -100 to 100 by the ids of tokens";
        ApiError::field(NAME, sentence)
    })
}

/// An id of a token.
pub(super) fn id(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// Refuses what is not there, unless the value means what is done anyway.
pub(super) fn refuse_unsupported(fields: &Fields<'_>) -> Result<(), ApiError> {
    let off = |name: &str| {
        let value = fields.value(name);
        value.is_none_or(|value| {
            matches!(value, Value::Bool(false))
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(|object| object.is_empty())
        })
    };
    for (name, sentence) in [
        ("functions", "functions are called by tools: give these"),
        ("return_hidden_states", "hidden states are not given"),
        (
            "continue_final_message",
            "a message cannot be continued: ask /v1/completions",
        ),
        ("no_stop_trim", "the stop text is never part of the answer"),
        ("use_beam_search", "there is no beam search"),
        ("audio", "there is no audio"),
        ("prediction", "there are no predicted outputs"),
    ] {
        if !off(name) {
            return Err(ApiError::unsupported(name, sentence));
        }
    }
    if fields.boolean("skip_special_tokens")? == Some(false) {
        let sentence = "control tokens are never part of the answer's text";
        return Err(ApiError::unsupported("skip_special_tokens", sentence));
    }
    let modalities = fields.list("modalities")?.unwrap_or_default();
    if modalities.iter().any(|kind| kind.as_str() != Some("text")) {
        return Err(ApiError::unsupported("modalities", "there is text only"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(value: Value) -> Result<SessionConfig, ApiError> {
        let mut config = SessionConfig::default();
        apply(&Fields::new(value.as_object().unwrap()), &mut config)?;
        Ok(config)
    }

    fn refused(value: Value) -> Option<String> {
        let error = refuse_unsupported(&Fields::new(value.as_object().unwrap())).err()?;
        Some(error.to_json()["error"]["param"].as_str()?.into())
    }

    #[test]
    fn what_is_left_out_stays() {
        let config = applied(json!({ "temperature": 0, "seed": 7 })).unwrap();
        let default = SessionConfig::default().sampling;
        assert_eq!(config.sampling.temperature, Millionths::ZERO);
        assert_eq!(config.sampling.top_k, default.top_k);
        assert_eq!(config.seed, Some(7));
    }

    #[test]
    fn stop_is_a_text_or_some() {
        assert_eq!(applied(json!({ "stop": "a" })).unwrap().stop, [b"a"]);
        let two = applied(json!({ "stop": ["a", "b"] })).unwrap().stop;
        assert_eq!(two, [b"a", b"b"]);
        for wrong in [
            json!(""),
            json!(1),
            json!(["a", 1]),
            json!(["a", "b", "c", "d", "e"]),
            json!("x".repeat(33)),
        ] {
            assert!(applied(json!({ "stop": wrong })).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bias_of_minus_hundred_bans() {
        let config = applied(json!({ "logit_bias": { "7": -100, "9": 1.5 } })).unwrap();
        let wanted = [
            Bias { id: 7, bias: None },
            Bias {
                id: 9,
                bias: Some(1_500_000),
            },
        ];
        assert_eq!(config.biases, wanted);
        assert!(applied(json!({ "logit_bias": { "x": 1 } })).is_err());
    }

    #[test]
    fn a_field_passes_when_it_means_what_is_done_anyway() {
        // As vLLM's router adds them.
        let router = json!({ "logprobs": false, "no_stop_trim": false, "ignore_eos": false,
            "continue_final_message": false, "skip_special_tokens": true, "separate_reasoning": true,
            "stream_reasoning": true, "include_reasoning": true, "return_hidden_states": false,
            "tools": [], "response_format": { "type": "text" }, "top_logprobs": 0, "unheard_of": 1 });
        assert_eq!(refused(router), None);
        for (name, value) in [
            ("functions", json!([{ "name": "a" }])),
            ("skip_special_tokens", json!(false)),
            ("modalities", json!(["audio"])),
        ] {
            let mut object = serde_json::Map::new();
            object.insert(name.into(), value);
            assert_eq!(refused(Value::Object(object)).as_deref(), Some(name));
        }
    }
}
