// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/completions.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::SessionConfig;

use super::access::Caller;
use super::answer::Answer;
use super::body::object_of;
use super::chat::{include_usage, usage_object};
use super::engine::Engine;
use super::error::ApiError;
use super::fields::Fields;
use super::identity::Identity;
use super::job::{Event, Job, Prompt, CHOICES_MAX};
use super::reply::{reply, Shape, Whole};
use super::{sampling, sse};

/// Continues texts.
pub async fn handle(
    State(engine): State<Arc<Engine>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let asked = Asked::of(&object, &engine.defaults, &caller)?;
    let shape = Completion {
        identity: Identity::new("cmpl-"),
        usage: asked.usage,
        model: String::new(),
        fingerprint: String::new(),
    };
    reply(Answer::begin(&engine, asked.job)?, shape, asked.stream).await
}

/// A request, understood.
struct Asked {
    job: Job,
    stream: bool,
    usage: bool,
}

impl Asked {
    fn of(
        object: &Map<String, Value>,
        defaults: &SessionConfig,
        caller: &Caller,
    ) -> Result<Self, ApiError> {
        let fields = Fields::new(object);
        sampling::refuse_unsupported(&fields)?;
        let mut config = defaults.clone();
        sampling::apply(&fields, &mut config)?;
        if let Some(most) = fields.integer("max_tokens", 1..=u32::MAX)? {
            config.max_tokens = most;
        }
        if fields
            .string("suffix")?
            .is_some_and(|suffix| !suffix.is_empty())
        {
            let sentence = "a text is continued at its end only";
            return Err(ApiError::unsupported("suffix", sentence));
        }
        let answers = fields.integer("n", 1..=CHOICES_MAX)?.unwrap_or(1);
        if fields
            .integer("best_of", 0..=u32::MAX)?
            .is_some_and(|of| of > answers)
        {
            let sentence = "all answers are given: ask for more with n";
            return Err(ApiError::unsupported("best_of", sentence));
        }
        Ok(Self {
            job: Job {
                model: fields.string("model")?.map(str::to_owned),
                prompts: prompts(&fields, "prompt", CHOICES_MAX as usize)?,
                answers,
                config,
                echo: fields.boolean("echo")?.unwrap_or(false),
                tenant: caller.tenant(fields.string("prompt_cache_key")?),
            },
            stream: fields.boolean("stream")?.unwrap_or(false),
            usage: include_usage(&fields)?,
        })
    }
}

/// The prompts of the field `name`: a text, ids, or a list of up to `most` of either.
pub fn prompts(fields: &Fields<'_>, name: &str, most: usize) -> Result<Vec<Prompt>, ApiError> {
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

/// The objects of a completion.
struct Completion {
    identity: Identity,
    usage: bool,
    model: String,
    fingerprint: String,
}

impl Shape for Completion {
    fn whole(&self, whole: &Whole) -> Value {
        let choices = whole.choices.iter().enumerate();
        let choices = choices.map(|(index, choice)| {
            json!({
                "index": index,
                "text": choice.text,
                "logprobs": null,
                "finish_reason": choice.end.map(|end| end.as_str()),
            })
        });
        let mut object = self.object(&whole.model, &whole.fingerprint, choices.collect());
        object["usage"] = usage_object(&whole.usage);
        object
    }

    fn stream(&mut self, event: &Event) -> String {
        match event {
            Event::Begun { model, fingerprint } => {
                (self.model, self.fingerprint) = (model.clone(), fingerprint.clone());
                String::new()
            }
            Event::Text { choice, text } => self.chunk(*choice, text, None),
            Event::End { choice, end } => self.chunk(*choice, "", Some(end.as_str())),
            Event::Done(usage) => {
                let mut last = String::new();
                if self.usage {
                    let mut object = self.object(&self.model, &self.fingerprint, json!([]));
                    object["usage"] = usage_object(usage);
                    last = sse::data(&object);
                }
                last + sse::DONE
            }
            Event::Failed(error) => sse::data(&error.to_json()),
        }
    }
}

impl Completion {
    fn object(&self, model: &str, fingerprint: &str, choices: Value) -> Value {
        json!({
            "id": self.identity.id,
            "object": "text_completion",
            "created": self.identity.created,
            "model": model,
            "system_fingerprint": fingerprint,
            "choices": choices,
        })
    }

    fn chunk(&self, choice: u32, text: &str, end: Option<&str>) -> String {
        let choice = json!({
            "index": choice,
            "text": text,
            "logprobs": null,
            "finish_reason": end,
        });
        let mut object = self.object(&self.model, &self.fingerprint, json!([choice]));
        if self.usage {
            object["usage"] = Value::Null;
        }
        sse::data(&object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(object: Value) -> Result<Asked, ApiError> {
        let object = object.as_object().unwrap();
        Asked::of(object, &SessionConfig::default(), &Caller::Local)
    }

    #[test]
    fn a_prompt_is_text_or_ids_or_some_of_them() {
        let prompts =
            |prompt: Value| asked(json!({ "prompt": prompt })).map(|asked| asked.job.prompts);
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

    #[test]
    fn what_is_not_done_is_refused() {
        let param = |object: Value| {
            asked(object)
                .err()
                .map(|error| error.to_json()["error"]["param"].clone())
        };
        assert_eq!(
            param(json!({ "prompt": "a", "suffix": "b" })),
            Some(json!("suffix"))
        );
        assert_eq!(
            param(json!({ "prompt": "a", "best_of": 2 })),
            Some(json!("best_of"))
        );
        assert_eq!(
            param(json!({ "prompt": "a", "best_of": 1, "suffix": "" })),
            None
        );
    }
}
