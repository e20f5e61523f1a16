// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/chat/completions.

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
use super::job::{End, Event, Prompt};
use super::logprobs;
use super::messages::messages;
use super::reply::{reply, Shape, Whole};
use super::sse;

/// The type of the objects of a stream.
const CHUNK: &str = "chat.completion.chunk";

/// Answers messages.
pub(super) async fn handle(
    State(engine): State<Arc<Engine>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let asked = asked(&object, &engine.defaults, &caller)?;
    let kind = match asked.stream {
        true => CHUNK,
        false => "chat.completion",
    };
    let shape = Chat {
        envelope: Envelope::new("chatcmpl-", kind, asked.usage),
        answers: asked.job.answers,
    };
    reply(Answer::begin(&engine, asked.job)?, shape, asked.stream).await
}

/// What a request asks.
fn asked(
    object: &Map<String, Value>,
    defaults: &SessionConfig,
    caller: &Caller,
) -> Result<Asked, ApiError> {
    const MOST: [&str; 2] = ["max_tokens", "max_completion_tokens"];
    let fields = Fields::new(object);
    let list = fields.list("messages")?.unwrap_or_default();
    let prompts = vec![Prompt::Messages(messages("messages", list)?)];
    let mut asked = Asked::of(&fields, prompts, &MOST, defaults, caller)?.choices(&fields)?;
    asked.job.logprobs = logprobs::of_chat(&fields)?;
    asked.tools(&fields, Some("function"))
}

/// The objects of a chat.
struct Chat {
    envelope: Envelope,
    answers: u32,
}

impl Shape for Chat {
    fn whole(&self, whole: &Whole) -> Value {
        let choices = whole.choices.iter().enumerate();
        let choices = choices.map(|(index, choice)| {
            json!({
                "index": index,
                "message": choice.message(),
                "logprobs": logprobs::chat(&choice.tokens),
                "finish_reason": choice.end.map(End::as_str),
            })
        });
        self.envelope.whole(whole, choices.collect())
    }

    fn stream(&mut self, event: &Event) -> String {
        match event {
            Event::Begun { model, fingerprint } => {
                self.envelope.begin(model, fingerprint);
                let first = json!({ "role": "assistant", "content": "" });
                let first = |choice| self.delta(choice, first.clone(), Value::Null, None);
                (0..self.answers).map(first).collect()
            }
            Event::Text {
                choice,
                text,
                tokens,
            } => {
                let delta = json!({ "content": text });
                self.delta(*choice, delta, logprobs::chat(tokens), None)
            }
            Event::Call {
                choice,
                index,
                id,
                name,
            } => {
                let function = json!({ "name": name, "arguments": "" });
                let call =
                    json!({ "index": index, "id": id, "type": "function", "function": function });
                self.delta(*choice, json!({ "tool_calls": [call] }), Value::Null, None)
            }
            Event::Arguments {
                choice,
                index,
                text,
            } => {
                let call = json!({ "index": index, "function": { "arguments": text } });
                self.delta(*choice, json!({ "tool_calls": [call] }), Value::Null, None)
            }
            Event::End { choice, end } => self.delta(*choice, json!({}), Value::Null, Some(*end)),
            Event::Done(usage) => self.envelope.last(usage),
            Event::Failed(error) => sse::data(&error.to_json()),
        }
    }
}

impl Chat {
    fn delta(&self, choice: u32, delta: Value, logprobs: Value, end: Option<End>) -> String {
        self.envelope.chunk(json!({
            "index": choice,
            "delta": delta,
            "logprobs": logprobs,
            "finish_reason": end.map(End::as_str),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::{Called, Choice};
    use super::super::job::Usage;
    use super::*;

    fn chat(usage: bool) -> Chat {
        Chat {
            envelope: Envelope::new("chatcmpl-", CHUNK, usage),
            answers: 1,
        }
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
            tokens: Vec::new(),
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
            for name in ["id", "created"] {
                assert_eq!(object[name], objects[0][name]);
            }
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
            ..Choice::default()
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
    fn calls_are_told_whole_and_in_parts() {
        let call = Called {
            id: "c".into(),
            name: "f".into(),
            arguments: "{}".into(),
        };
        let choice = Choice {
            calls: vec![call],
            end: Some(End::Calls),
            ..Choice::default()
        };
        let whole = Whole {
            choices: vec![choice],
            ..Default::default()
        };
        let object = chat(false).whole(&whole);
        let wanted = json!([{ "id": "c", "type": "function", "function": { "name": "f", "arguments": "{}" } }]);
        assert_eq!(object["choices"][0]["message"]["tool_calls"], wanted);
        assert_eq!(object["choices"][0]["message"]["content"], Value::Null);
        assert_eq!(object["choices"][0]["finish_reason"], "tool_calls");
        let begun = Event::Call {
            choice: 0,
            index: 1,
            id: "c".into(),
            name: "f".into(),
        };
        let begun = chat(false).stream(&begun);
        assert!(
            begun.contains(r#"{"tool_calls":[{"index":1,"id":"c","type":"function","#),
            "{begun}"
        );
        let more = Event::Arguments {
            choice: 0,
            index: 1,
            text: "{".into(),
        };
        let more = chat(false).stream(&more);
        assert!(
            more.contains(r#"[{"index":1,"function":{"arguments":"{"}}]"#),
            "{more}"
        );
    }

    #[test]
    fn messages_are_needed() {
        let asked = |object: Value| {
            let object = object.as_object().unwrap();
            asked(object, &SessionConfig::default(), &Caller::Local)
        };
        for object in [json!({}), json!({ "messages": "x" })] {
            let error = asked(object).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], "messages");
        }
        let message = json!([{ "role": "user", "content": "a" }]);
        let found = asked(json!({ "messages": message, "max_completion_tokens": 5 }));
        assert_eq!(found.unwrap().job.config.max_tokens, 5);
    }
}
