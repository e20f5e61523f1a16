// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prompts of a request that are no messages.

use serde_json::Value;

use super::error::ApiError;
use super::fields::Fields;
use super::job::Prompt;
use super::sampling;

/// The prompts of the field `name`: a text, ids, or a list of up to `most` of either.
pub(super) fn prompts(
    fields: &Fields<'_>,
    name: &str,
    most: usize,
) -> Result<Vec<Prompt>, ApiError> {
    let wrong = || {
        let sentence = format!(
            "{name} is to be a text, a list of ids of tokens, or a list of up to {most} of either"
        );
        ApiError::field(name, sentence)
    };
    let value = fields.value(name).ok_or_else(wrong)?;
    if let Some(one) = prompt(value) {
        return Ok(vec![one]);
    }
    let list = value.as_array().ok_or_else(wrong)?;
    if list.is_empty() || list.len() > most {
        return Err(wrong());
    }
    list.iter()
        .map(|value| prompt(value).ok_or_else(wrong))
        .collect()
}

/// A text, or at least one id.
fn prompt(value: &Value) -> Option<Prompt> {
    match value {
        Value::String(text) => Some(Prompt::Text(text.clone())),
        Value::Array(ids) if !ids.is_empty() => {
            let ids: Option<Vec<u32>> = ids.iter().map(sampling::id).collect();
            ids.map(Prompt::Ids)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_prompt_is_text_or_ids_or_some_of_them() {
        let prompts = |prompt: Value| {
            let object = json!({ "prompt": prompt });
            prompts(&Fields::new(object.as_object().unwrap()), "prompt", 8)
        };
        let text = |text: &str| Prompt::Text(text.into());
        assert_eq!(prompts(json!("a")), Ok(vec![text("a")]));
        assert_eq!(prompts(json!("")), Ok(vec![text("")]));
        assert_eq!(prompts(json!([1, 2])), Ok(vec![Prompt::Ids(vec![1, 2])]));
        assert_eq!(prompts(json!(["a", "b"])), Ok(vec![text("a"), text("b")]));
        assert_eq!(
            prompts(json!([[1], "b"])),
            Ok(vec![Prompt::Ids(vec![1]), text("b")])
        );
        for wrong in [
            json!(null),
            json!(7),
            json!([]),
            json!([[]]),
            json!([1, "a"]),
            json!([-1]),
            json!(vec!["a"; 9]),
        ] {
            let error = prompts(wrong).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], "prompt");
        }
    }
}
