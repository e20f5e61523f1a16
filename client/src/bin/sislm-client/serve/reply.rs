// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the events of a job to the response: one object at the end, or a stream of them.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::timeout;

use super::answer::Answer;
use super::choice::{Called, Choice};
use super::error::ApiError;
use super::job::{Event, Usage};
use super::sse;

/// Time that an error may take to be the response's status and not an event of its stream.
const FIRST: Duration = Duration::from_secs(10);
/// Time between two signs of life while nothing comes.
const ALIVE: Duration = Duration::from_secs(10);

/// All that a job came to.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// Name of the model.
    pub model: String,
    /// Of its bytes and the arithmetic.
    pub fingerprint: String,
    /// The answers.
    pub choices: Vec<Choice>,
    /// Tokens.
    pub usage: Usage,
}

/// The objects of an endpoint.
pub(super) trait Shape: Send + 'static {
    /// The object of a whole answer.
    fn whole(&self, whole: &Whole) -> Value;

    /// The text of the stream for an event; empty where there is nothing to tell.
    fn stream(&mut self, event: &Event) -> String;
}

/// The response of `answer`.
pub(super) async fn reply(
    mut answer: Answer,
    mut shape: impl Shape,
    is_stream: bool,
) -> Result<Response, ApiError> {
    if !is_stream {
        let whole = collect(&mut answer).await?;
        return Ok(json(&shape.whole(&whole)));
    }
    let mut begin = sse::COMMENT.to_owned();
    match timeout(FIRST, answer.events.recv()).await {
        Ok(Some(Event::Failed(error))) => return Err(error),
        Ok(Some(event)) => begin = shape.stream(&event),
        Ok(None) => return Err(lost()),
        Err(_) => {}
    }
    let streaming = Streaming {
        answer,
        shape,
        begin: Some(begin),
        over: false,
    };
    let body = futures_util::stream::unfold(streaming, |mut streaming| async {
        let text = streaming.next().await?;
        Some((Ok::<Bytes, Infallible>(text.into()), streaming))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    let events = HeaderValue::from_static("text/event-stream");
    headers.insert(header::CONTENT_TYPE, events);
    let never = HeaderValue::from_static("no-cache");
    headers.insert(header::CACHE_CONTROL, never);
    Ok(response)
}

/// A response of one object.
pub(super) fn json(object: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (StatusCode::OK, json, object.to_string()).into_response()
}

/// An answer on its way to the client.
struct Streaming<S> {
    answer: Answer,
    shape: S,
    begin: Option<String>,
    over: bool,
}

impl<S: Shape> Streaming<S> {
    /// The next bytes; None after the last ones.
    async fn next(&mut self) -> Option<String> {
        if let Some(begin) = self.begin.take().filter(|text| !text.is_empty()) {
            return Some(begin);
        }
        while !self.over {
            let event = match timeout(ALIVE, self.answer.events.recv()).await {
                Err(_) => return Some(sse::COMMENT.into()),
                Ok(event) => event.unwrap_or(Event::Failed(lost())),
            };
            self.over = matches!(event, Event::Done(_) | Event::Failed(_));
            let text = self.shape.stream(&event);
            if !text.is_empty() {
                return Some(text);
            }
        }
        None
    }
}

/// Waits for all of an answer.
async fn collect(answer: &mut Answer) -> Result<Whole, ApiError> {
    let mut whole = Whole::default();
    loop {
        match answer.events.recv().await.ok_or_else(lost)? {
            Event::Begun { model, fingerprint } => {
                (whole.model, whole.fingerprint) = (model, fingerprint);
            }
            Event::Text {
                choice,
                text,
                tokens,
            } => {
                let choice = whole.choice(choice);
                choice.text += &text;
                choice.tokens.extend(tokens);
            }
            Event::Call {
                choice, id, name, ..
            } => whole.choice(choice).calls.push(Called {
                id,
                name,
                arguments: String::new(),
            }),
            Event::Arguments { choice, text, .. } => {
                if let Some(call) = whole.choice(choice).calls.last_mut() {
                    call.arguments += &text;
                }
            }
            Event::End { choice, end } => whole.choice(choice).end = Some(end),
            Event::Done(usage) => {
                whole.usage = usage;
                return Ok(whole);
            }
            Event::Failed(error) => return Err(error),
        }
    }
}

impl Whole {
    fn choice(&mut self, number: u32) -> &mut Choice {
        let place = number as usize;
        if self.choices.len() <= place {
            self.choices.resize_with(place + 1, Choice::default);
        }
        &mut self.choices[place]
    }
}

/// The thread of a job ended without a word.
pub(super) fn lost() -> ApiError {
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the answer was lost: try again",
    )
}
