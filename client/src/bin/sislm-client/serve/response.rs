// SPDX-License-Identifier: MIT OR Apache-2.0
//! The objects and events of a response.

use serde_json::{json, Map, Value};
use sislm::Token;

use super::choice::Called;
use super::echo::echoed;
use super::identity::Identity;
use super::items::{part, Item, Kind, OutputText};
use super::job::{End, Event, Usage};
use super::logprobs;
use super::reply::{Shape, Whole};
use super::sse;

/// The objects of a response.
pub(super) struct Responses {
    identity: Identity,
    asked: Map<String, Value>,
    model: String,
    sequence: u64,
    items: Vec<Item>,
    /// Whether more of the last item is to come.
    open: bool,
    end: Option<End>,
}

impl Shape for Responses {
    fn whole(&self, whole: &Whole) -> Value {
        let end = whole.choices.first().and_then(|choice| choice.end);
        let items = whole.choices.first().map(Item::all).unwrap_or_default();
        self.response(&whole.model, status(end), &items, Some(&whole.usage))
    }

    fn stream(&mut self, event: &Event) -> String {
        match event {
            Event::Begun { model, .. } => {
                self.model.clone_from(model);
                let begun = self.response(model, "in_progress", &[], None);
                [
                    self.event("response.created", json!({ "response": begun })),
                    self.event("response.in_progress", json!({ "response": begun })),
                ]
                .concat()
            }
            Event::Text { text, tokens, .. } => self.text(text, tokens),
            Event::Call { id, name, .. } => {
                let closed = self.close("completed");
                let call = Called {
                    id: id.clone(),
                    name: name.clone(),
                    arguments: String::new(),
                };
                closed + &self.open(Item::call(call))
            }
            Event::Arguments { text, .. } => {
                if let Some(Kind::Call(call)) = self.items.last_mut().map(|item| &mut item.kind) {
                    call.arguments += text;
                }
                self.of_item(
                    "response.function_call_arguments.delta",
                    json!({ "delta": text }),
                )
            }
            Event::End { end, .. } => {
                self.end = Some(*end);
                let text = match self.items.is_empty() {
                    true => self.text("", &[]),
                    false => String::new(),
                };
                text + &self.close(status(self.end))
            }
            Event::Done(usage) => {
                let state = status(self.end);
                let response = self.response(&self.model, state, &self.items, Some(usage));
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
    /// To the request `asked`.
    pub(super) fn new(asked: &Map<String, Value>) -> Self {
        Self {
            identity: Identity::new("resp_"),
            asked: echoed(asked),
            model: String::new(),
            sequence: 0,
            items: Vec::new(),
            open: false,
            end: None,
        }
    }

    fn response(&self, model: &str, status: &str, items: &[Item], usage: Option<&Usage>) -> Value {
        let output: Value = items.iter().map(|item| item.to_json(status)).collect();
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
            "previous_response_id": null,
            "store": false,
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

    /// The events of more text.
    fn text(&mut self, text: &str, tokens: &[Token]) -> String {
        let begun = match self.items.last().map(|item| &item.kind) {
            Some(Kind::Message(_)) if self.open => String::new(),
            _ => self.close("completed") + &self.open(Item::message(OutputText::default())),
        };
        if let Some(Kind::Message(all)) = self.items.last_mut().map(|item| &mut item.kind) {
            all.text += text;
            all.tokens.extend_from_slice(tokens);
        }
        let delta = match text.is_empty() && tokens.is_empty() {
            true => String::new(),
            false => self.of_part(
                "response.output_text.delta",
                json!({ "delta": text, "logprobs": logprobs::response(tokens) }),
            ),
        };
        begun + &delta
    }

    /// Those of a new item.
    fn open(&mut self, item: Item) -> String {
        let begun = item.begun();
        let is_message = matches!(item.kind, Kind::Message(_));
        self.items.push(item);
        self.open = true;
        let place = self.items.len() - 1;
        let added = self.event(
            "response.output_item.added",
            json!({ "output_index": place, "item": begun }),
        );
        match is_message {
            true => {
                added
                    + &self.of_part(
                        "response.content_part.added",
                        json!({ "part": part(&OutputText::default()) }),
                    )
            }
            false => added,
        }
    }

    /// Those of the end of the last item.
    fn close(&mut self, status: &str) -> String {
        let Some(item) = self.items.last().filter(|_| self.open) else {
            return String::new();
        };
        self.open = false;
        let object = item.to_json(status);
        let done = match &item.kind {
            Kind::Message(output) => {
                let logprobs = logprobs::response(&output.tokens);
                let (done, part) = (
                    json!({ "text": output.text, "logprobs": logprobs }),
                    json!({ "part": part(output) }),
                );
                self.of_part("response.output_text.done", done)
                    + &self.of_part("response.content_part.done", part)
            }
            Kind::Call(call) => {
                let done = json!({ "name": call.name, "arguments": call.arguments });
                self.of_item("response.function_call_arguments.done", done)
            }
        };
        let place = self.items.len() - 1;
        done + &self.event(
            "response.output_item.done",
            json!({ "output_index": place, "item": object }),
        )
    }

    /// An event about the only part of the last item, a message.
    fn of_part(&mut self, kind: &str, mut object: Value) -> String {
        object["content_index"] = json!(0);
        self.of_item(kind, object)
    }

    /// An event about the last item.
    fn of_item(&mut self, kind: &str, mut object: Value) -> String {
        object["item_id"] = json!(self.items.last().map(|item| &item.id));
        object["output_index"] = json!(self.items.len().saturating_sub(1));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_their_order_and_are_numbered() {
        let mut shape = Responses::new(&Map::new());
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
