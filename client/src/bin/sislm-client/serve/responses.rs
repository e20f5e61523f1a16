// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/responses, as far as nothing is stored.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::{Message, SessionConfig};

use super::access::Caller;
use super::answer::Answer;
use super::asked::Asked;
use super::body::object_of;
use super::engine::Engine;
use super::error::ApiError;
use super::fields::Fields;
use super::format;
use super::identity::Identity;
use super::job::{End, Event, Prompt, Usage};
use super::messages::messages;
use super::reply::{reply, Shape, Whole};
use super::sse;

/// Answers an input.
pub(super) async fn handle(
    State(engine): State<Arc<Engine>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let fields = Fields::new(&object);
    let asked = asked(&fields, &engine.defaults, &caller)?;
    let shape = Responses {
        identity: Identity::new("resp_"),
        item: Identity::new("msg_").id,
        asked: echoed(&object),
        model: String::new(),
        sequence: 0,
        text: String::new(),
        end: None,
    };
    reply(Answer::begin(&engine, asked.job)?, shape, asked.stream).await
}

/// What a request asks.
fn asked(
    fields: &Fields<'_>,
    defaults: &SessionConfig,
    caller: &Caller,
) -> Result<Asked, ApiError> {
    refuse_stored(fields)?;
    let prompts = vec![Prompt::Messages(input(fields)?)];
    let mut asked = Asked::of(fields, prompts, &["max_output_tokens"], defaults, caller)?;
    asked.job.grammar = format::text_format(fields)?;
    Ok(asked)
}

/// What the instructions say, then the input: a text, or messages.
fn input(fields: &Fields<'_>) -> Result<Vec<Message>, ApiError> {
    let message = |role: &str, content: &str| Message {
        role: role.into(),
        content: content.into(),
    };
    let instructions = fields.string("instructions")?;
    let mut all: Vec<Message> = instructions
        .map(|text| message("system", text))
        .into_iter()
        .collect();
    match fields.value("input") {
        Some(Value::String(text)) => all.push(message("user", text)),
        Some(Value::Array(list)) => all.extend(messages("input", list)?),
        _ => {
            let sentence = "input is to be a text, or a list of messages";
            return Err(ApiError::field("input", sentence));
        }
    }
    Ok(all)
}

/// Refuses what would need a memory of responses, and log-probabilities.
fn refuse_stored(fields: &Fields<'_>) -> Result<(), ApiError> {
    const STATELESS: &str = "nothing is stored here: send the whole conversation as input";
    if fields.boolean("store")? == Some(true) {
        return Err(ApiError::unsupported("store", STATELESS));
    }
    for name in ["previous_response_id", "conversation", "prompt"] {
        if fields.value(name).is_some() {
            return Err(ApiError::unsupported(name, STATELESS));
        }
    }
    if fields.boolean("background")? == Some(true) {
        return Err(ApiError::unsupported("background", STATELESS));
    }
    if fields
        .value("top_logprobs")
        .is_some_and(|top| top.as_u64() != Some(0))
    {
        let sentence = "responses have no log-probabilities here: chats and completions have";
        return Err(ApiError::unsupported("top_logprobs", sentence));
    }
    Ok(())
}

/// What a response repeats of its request.
fn echoed(object: &Map<String, Value>) -> Map<String, Value> {
    let fallback = [
        ("instructions", Value::Null),
        ("max_output_tokens", Value::Null),
        ("temperature", Value::Null),
        ("top_p", Value::Null),
        ("metadata", json!({})),
        ("text", json!({ "format": { "type": "text" } })),
    ];
    let value = |(name, fallback): (&str, Value)| {
        let given = object.get(name).cloned();
        (name.to_owned(), given.unwrap_or(fallback))
    };
    fallback.into_iter().map(value).collect()
}

/// The objects of a response.
struct Responses {
    identity: Identity,
    item: String,
    asked: Map<String, Value>,
    model: String,
    sequence: u64,
    text: String,
    end: Option<End>,
}

impl Shape for Responses {
    fn whole(&self, whole: &Whole) -> Value {
        let choice = whole.choices.first();
        let text = choice.map_or("", |choice| &choice.text);
        let end = choice.and_then(|choice| choice.end);
        let output = json!([self.message(status(end), json!([part(text)]))]);
        self.response(&whole.model, status(end), output, Some(&whole.usage))
    }

    fn stream(&mut self, event: &Event) -> String {
        match event {
            Event::Begun { model, .. } => {
                self.model.clone_from(model);
                let begun = self.response(model, "in_progress", json!([]), None);
                let item = self.message("in_progress", json!([]));
                [
                    self.event("response.created", json!({ "response": begun })),
                    self.event("response.in_progress", json!({ "response": begun })),
                    self.event(
                        "response.output_item.added",
                        json!({ "output_index": 0, "item": item }),
                    ),
                    self.of_part("response.content_part.added", json!({ "part": part("") })),
                ]
                .concat()
            }
            Event::Text { text, .. } => {
                self.text += text;
                let delta = json!({ "delta": text, "logprobs": [] });
                self.of_part("response.output_text.delta", delta)
            }
            Event::End { end, .. } => {
                self.end = Some(*end);
                let text = self.text.clone();
                let item = self.message(status(self.end), json!([part(&text)]));
                [
                    self.of_part(
                        "response.output_text.done",
                        json!({ "text": text, "logprobs": [] }),
                    ),
                    self.of_part("response.content_part.done", json!({ "part": part(&text) })),
                    self.event(
                        "response.output_item.done",
                        json!({ "output_index": 0, "item": item }),
                    ),
                ]
                .concat()
            }
            Event::Done(usage) => {
                let state = status(self.end);
                let output = json!([self.message(state, json!([part(&self.text)]))]);
                let response = self.response(&self.model, state, output, Some(usage));
                self.event(
                    &format!("response.{state}"),
                    json!({ "response": response }),
                )
            }
            Event::Failed(error) => {
                let error = &error.to_json()["error"];
                let failed = json!({ "code": error["code"], "message": error["message"], "param": error["param"] });
                self.event("error", failed)
            }
        }
    }
}

impl Responses {
    fn response(&self, model: &str, status: &str, output: Value, usage: Option<&Usage>) -> Value {
        let incomplete = match status {
            "incomplete" => json!({ "reason": "max_output_tokens" }),
            _ => Value::Null,
        };
        let mut object = json!({
            "id": self.identity.id,
            "object": "response",
            "created_at": self.identity.created,
            "status": status,
            "error": null,
            "incomplete_details": incomplete,
            "model": model,
            "output": output,
            "parallel_tool_calls": false,
            "previous_response_id": null,
            "store": false,
            "tool_choice": "none",
            "tools": [],
            "truncation": "disabled",
        });
        if let Some(usage) = usage {
            object["usage"] = json!({
                "input_tokens": usage.prompt,
                "input_tokens_details": { "cached_tokens": usage.cached, "cache_write_tokens": 0 },
                "output_tokens": usage.answer,
                "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": usage.prompt + usage.answer,
            });
        }
        for (name, value) in &self.asked {
            object[name] = value.clone();
        }
        object
    }

    fn message(&self, status: &str, content: Value) -> Value {
        json!({
            "id": self.item,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        })
    }

    /// An event about the only part of the answer.
    fn of_part(&mut self, kind: &str, mut object: Value) -> String {
        object["item_id"] = json!(self.item);
        object["output_index"] = json!(0);
        object["content_index"] = json!(0);
        self.event(kind, object)
    }

    fn event(&mut self, kind: &str, mut object: Value) -> String {
        object["type"] = json!(kind);
        object["sequence_number"] = json!(self.sequence);
        self.sequence += 1;
        sse::named(&object)
    }
}

/// What a response is that ended so.
fn status(end: Option<End>) -> &'static str {
    match end {
        Some(End::Length) => "incomplete",
        _ => "completed",
    }
}

/// The text of an answer.
fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

#[cfg(test)]
mod tests {
    use super::super::job::Job;
    use super::*;

    fn job(object: Value) -> Result<Job, ApiError> {
        let fields = Fields::new(object.as_object().unwrap());
        let asked = asked(&fields, &SessionConfig::default(), &Caller::Local)?;
        Ok(asked.job)
    }

    #[test]
    fn instructions_come_before_the_input() {
        let job =
            job(json!({ "input": "a", "instructions": "Be brief.", "store": false })).unwrap();
        let Prompt::Messages(messages) = &job.prompts[0] else {
            panic!("{:?}", job.prompts);
        };
        let said: Vec<_> = messages
            .iter()
            .map(|said| (&said.role[..], &said.content[..]))
            .collect();
        assert_eq!(said, [("system", "Be brief."), ("user", "a")]);
    }

    #[test]
    fn what_would_be_stored_is_refused() {
        for (name, value) in [
            ("store", json!(true)),
            ("previous_response_id", json!("resp_1")),
            ("background", json!(true)),
            ("input", json!(7)),
            ("top_logprobs", json!(2)),
        ] {
            let mut object = json!({ "input": "a" });
            object[name] = value;
            let error = job(object).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], name);
        }
        let schema = json!({ "input": "a", "text": { "format": { "type": "json_schema" } } });
        assert!(job(schema).is_err());
    }

    #[test]
    fn events_come_in_their_order_and_are_numbered() {
        let mut shape = Responses {
            identity: Identity::new("resp_"),
            item: "msg_1".into(),
            asked: echoed(&Map::new()),
            model: String::new(),
            sequence: 0,
            text: String::new(),
            end: None,
        };
        let events = [
            Event::Begun {
                model: "tiny".into(),
                fingerprint: String::new(),
            },
            Event::Text {
                choice: 0,
                text: "a".into(),
                tokens: Vec::new(),
            },
            Event::Text {
                choice: 0,
                text: "b".into(),
                tokens: Vec::new(),
            },
            Event::End {
                choice: 0,
                end: End::Length,
            },
            Event::Done(Usage::default()),
        ];
        let stream: String = events.iter().map(|event| shape.stream(event)).collect();
        let objects: Vec<Value> = stream
            .split("\n\n")
            .filter_map(|event| event.split_once("data: "))
            .map(|(_, object)| serde_json::from_str(object).unwrap())
            .collect();
        let kinds: Vec<&str> = objects
            .iter()
            .map(|object| object["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            kinds,
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.incomplete",
            ]
        );
        for (number, object) in objects.iter().enumerate() {
            assert_eq!(object["sequence_number"], number);
        }
        assert_eq!(
            objects[9]["response"]["output"][0]["content"][0]["text"],
            "ab"
        );
        assert_eq!(
            objects[9]["response"]["incomplete_details"]["reason"],
            "max_output_tokens"
        );
    }
}
