// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/completions.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::SessionConfig;

use super::access::Caller;
use super::answer::Answer;
use super::asked::Asked;
use super::body::object_of;
use super::engine::Engine;
use super::envelope::Envelope;
use super::error::ApiError;
use super::fields::Fields;
use super::job::{End, Event, CHOICES_MAX};
use super::logprobs;
use super::prompts::prompts;
use super::reply::{reply, Shape, Whole};
use super::sse;

/// Continues texts.
pub(super) async fn handle(
    State(engine): State<Arc<Engine>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let asked = asked(&object, &engine.defaults, &caller)?;
    let shape = Completion {
        envelope: Envelope::new("cmpl-", "text_completion", asked.usage),
        offsets: [0; CHOICES_MAX as usize],
    };
    reply(Answer::begin(&engine, asked.job)?, shape, asked.stream).await
}

/// What a request asks.
fn asked(
    object: &Map<String, Value>,
    defaults: &SessionConfig,
    caller: &Caller,
) -> Result<Asked, ApiError> {
    let fields = Fields::new(object);
    let prompts = prompts(&fields, "prompt", CHOICES_MAX as usize)?;
    let asked = Asked::of(&fields, prompts, &["max_tokens"], defaults, caller)?;
    let mut asked = asked.choices(&fields)?;
    asked.job.echo = fields.boolean("echo")?.unwrap_or(false);
    asked.job.logprobs = logprobs::of_completion(&fields)?;
    if fields
        .string("suffix")?
        .is_some_and(|suffix| !suffix.is_empty())
    {
        let sentence = "a text is continued at its end only";
        return Err(ApiError::unsupported("suffix", sentence));
    }
    if fields
        .integer("best_of", 0..=u32::MAX)?
        .is_some_and(|of| of > asked.job.answers)
    {
        let sentence = "all answers are given: ask for more with n";
        return Err(ApiError::unsupported("best_of", sentence));
    }
    Ok(asked)
}

/// The objects of a completion.
struct Completion {
    envelope: Envelope,
    /// Characters of each answer until now.
    offsets: [usize; CHOICES_MAX as usize],
}

impl Shape for Completion {
    fn whole(&self, whole: &Whole) -> Value {
        let choices = (0..).zip(&whole.choices);
        let choices = choices.map(|(index, choice)| {
            let logprobs = logprobs::completion(&choice.tokens, 0);
            object(index, &choice.text, logprobs, choice.end)
        });
        self.envelope.whole(whole, choices.collect())
    }

    fn stream(&mut self, event: &Event) -> String {
        match event {
            Event::Begun { model, fingerprint } => {
                self.envelope.begin(model, fingerprint);
                String::new()
            }
            Event::Text {
                choice,
                text,
                tokens,
            } => {
                let mut passed = 0;
                let offset = self.offsets.get_mut(*choice as usize);
                let offset = offset.unwrap_or(&mut passed);
                let logprobs = logprobs::completion(tokens, *offset);
                *offset += logprobs::characters(tokens);
                self.envelope.chunk(object(*choice, text, logprobs, None))
            }
            Event::Call { .. } | Event::Arguments { .. } => String::new(),
            Event::End { choice, end } => {
                let last = object(*choice, "", Value::Null, Some(*end));
                self.envelope.chunk(last)
            }
            Event::Done(usage) => self.envelope.last(usage),
            Event::Failed(error) => sse::data(&error.to_json()),
        }
    }
}

/// A choice, or a part of it.
fn object(index: u32, text: &str, logprobs: Value, end: Option<End>) -> Value {
    json!({
        "index": index,
        "text": text,
        "logprobs": logprobs,
        "finish_reason": end.map(End::as_str),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_done_is_refused() {
        let param = |object: Value| {
            let object = object.as_object().unwrap();
            asked(object, &SessionConfig::default(), &Caller::Local)
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
