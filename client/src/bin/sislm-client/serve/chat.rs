// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/chat/completions.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::SessionConfig;

use super::access::Caller;
use super::answer::Answer;
use super::body::object_of;
use super::engine::Engine;
use super::error::ApiError;
use super::fields::Fields;
use super::identity::Identity;
use super::job::{Event, Job, Prompt, Usage, CHOICES_MAX};
use super::messages::messages;
use super::reply::{reply, Shape, Whole};
use super::{sampling, sse};

/// Answers messages.
pub async fn handle(
    State(engine): State<Arc<Engine>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let asked = Asked::of(&object, &engine.defaults, &caller)?;
    let shape = Chat {
        identity: Identity::new("chatcmpl-"),
        answers: asked.job.answers,
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
        for name in ["max_tokens", "max_completion_tokens"] {
            if let Some(most) = fields.integer(name, 1..=u32::MAX)? {
                config.max_tokens = most;
            }
        }
        let list = fields.list("messages")?.unwrap_or_default();
        let stream = fields.boolean("stream")?.unwrap_or(false);
        Ok(Self {
            job: Job {
                model: fields.string("model")?.map(str::to_owned),
                prompts: vec![Prompt::Messages(messages("messages", list)?)],
                answers: fields.integer("n", 1..=CHOICES_MAX)?.unwrap_or(1),
                config,
                echo: false,
                tenant: caller.tenant(fields.string("prompt_cache_key")?),
            },
            stream,
            usage: include_usage(&fields)?,
        })
    }
}

/// Whether a stream ends with the usage.
pub fn include_usage(fields: &Fields<'_>) -> Result<bool, ApiError> {
    let options = fields.object("stream_options")?;
    Ok(options
        .and_then(|options| options.get("include_usage")?.as_bool())
        .unwrap_or(false))
}

/// The object of the usage.
pub fn usage_object(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.answer,
        "total_tokens": usage.prompt + usage.answer,
        "prompt_tokens_details": { "cached_tokens": usage.cached },
    })
}

/// The objects of a chat.
struct Chat {
    identity: Identity,
    answers: u32,
    usage: bool,
    model: String,
    fingerprint: String,
}

impl Shape for Chat {
    fn whole(&self, whole: &Whole) -> Value {
        let choices = whole.choices.iter().enumerate();
        let choices = choices.map(|(index, choice)| {
            json!({
                "index": index,
                "message": { "role": "assistant", "content": choice.text, "refusal": null },
                "logprobs": null,
                "finish_reason": choice.end.map(|end| end.as_str()),
            })
        });
        json!({
            "id": self.identity.id,
            "object": "chat.completion",
            "created": self.identity.created,
            "model": whole.model,
            "system_fingerprint": whole.fingerprint,
            "choices": choices.collect::<Value>(),
            "usage": usage_object(&whole.usage),
        })
    }

    fn stream(&mut self, event: &Event) -> String {
        match event {
            Event::Begun { model, fingerprint } => {
                (self.model, self.fingerprint) = (model.clone(), fingerprint.clone());
                let first = json!({ "role": "assistant", "content": "" });
                let first = |choice| self.delta(choice, first.clone(), None);
                (0..self.answers).map(first).collect()
            }
            Event::Text { choice, text } => self.delta(*choice, json!({ "content": text }), None),
            Event::End { choice, end } => self.delta(*choice, json!({}), Some(end.as_str())),
            Event::Done(usage) => {
                let last = match self.usage {
                    true => sse::data(&self.chunk(json!([]), usage_object(usage))),
                    false => String::new(),
                };
                last + sse::DONE
            }
            Event::Failed(error) => sse::data(&error.to_json()),
        }
    }
}

impl Chat {
    fn delta(&self, choice: u32, delta: Value, end: Option<&str>) -> String {
        let choice = json!({
            "index": choice,
            "delta": delta,
            "logprobs": null,
            "finish_reason": end,
        });
        sse::data(&self.chunk(json!([choice]), Value::Null))
    }

    fn chunk(&self, choices: Value, usage: Value) -> Value {
        let mut chunk = json!({
            "id": self.identity.id,
            "object": "chat.completion.chunk",
            "created": self.identity.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
            "choices": choices,
        });
        if self.usage {
            chunk["usage"] = usage;
        }
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::super::job::End;
    use super::super::reply::Choice;
    use super::*;

    fn chat(usage: bool) -> Chat {
        Chat {
            identity: Identity {
                id: "chatcmpl-1".into(),
                created: 7,
            },
            answers: 1,
            usage,
            model: String::new(),
            fingerprint: String::new(),
        }
    }

    fn asked(object: Value) -> Result<Asked, ApiError> {
        let object = object.as_object().unwrap();
        Asked::of(object, &SessionConfig::default(), &Caller::Local)
    }

    #[test]
    fn a_stream_has_the_events_that_clients_read() {
        let mut chat = chat(true);
        let begun = Event::Begun {
            model: "tiny".into(),
            fingerprint: "f".into(),
        };
        let text = Event::Text {
            choice: 0,
            text: "a\nb".into(),
        };
        let end = Event::End {
            choice: 0,
            end: End::Stop,
        };
        let usage = Usage {
            prompt: 3,
            cached: 2,
            answer: 1,
        };
        let events = [begun, text, end, Event::Done(usage)];
        let stream: String = events.iter().map(|event| chat.stream(event)).collect();
        let lines: Vec<&str> = stream.split("\n\n").collect();
        let objects: Vec<Value> = lines[..4]
            .iter()
            .map(|line| serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap())
            .collect();
        assert_eq!(lines[4..], ["data: [DONE]", ""]);
        assert_eq!(
            objects[0]["choices"][0]["delta"],
            json!({ "role": "assistant", "content": "" })
        );
        assert_eq!(objects[0]["usage"], Value::Null);
        assert_eq!(
            objects[1]["choices"][0]["delta"],
            json!({ "content": "a\nb" })
        );
        assert_eq!(objects[2]["choices"][0]["delta"], json!({}));
        assert_eq!(objects[2]["choices"][0]["finish_reason"], "stop");
        assert_eq!(objects[3]["choices"], json!([]));
        assert_eq!(
            objects[3]["usage"]["prompt_tokens_details"]["cached_tokens"],
            2
        );
        for object in &objects {
            assert_eq!(
                (&object["id"], &object["created"]),
                (&json!("chatcmpl-1"), &json!(7))
            );
            assert_eq!(object["object"], "chat.completion.chunk");
        }
    }

    #[test]
    fn an_error_in_a_stream_is_its_last_event() {
        let text = chat(false).stream(&Event::Failed(ApiError::busy("full")));
        assert!(
            text.starts_with("data: {\"error\":{\"message\":\"full\""),
            "{text}"
        );
        assert!(!text.contains("DONE"));
    }

    #[test]
    fn a_whole_answer_has_all_choices() {
        let choice = |text: &str| Choice {
            text: text.into(),
            end: Some(End::Length),
        };
        let whole = Whole {
            model: "tiny".into(),
            choices: vec![choice("a"), choice("b")],
            ..Default::default()
        };
        let object = chat(false).whole(&whole);
        assert_eq!(object["choices"][1]["index"], 1);
        assert_eq!(object["choices"][1]["message"]["content"], "b");
        assert_eq!(object["choices"][0]["finish_reason"], "length");
        assert_eq!(object["usage"]["total_tokens"], 0);
    }

    #[test]
    fn fields_are_taken_or_named() {
        let message = json!([{ "role": "user", "content": "a" }]);
        let found = asked(
            json!({ "messages": message, "max_completion_tokens": 5, "n": 2, "stream": true }),
        );
        let found = found.unwrap();
        assert_eq!((found.job.config.max_tokens, found.job.answers), (5, 2));
        assert!(found.stream);
        for (name, value) in [
            ("messages", json!("x")),
            ("n", json!(9)),
            ("max_tokens", json!(0)),
            ("stream", json!("yes")),
        ] {
            let mut object = json!({ "messages": message });
            object[name] = value;
            let error = asked(object).err().unwrap();
            assert_eq!(error.to_json()["error"]["param"], name);
        }
    }
}
