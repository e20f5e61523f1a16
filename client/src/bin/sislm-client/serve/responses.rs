// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/responses, as far as nothing is stored.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::Value;
use sislm::{Message, SessionConfig};

use super::access::Caller;
use super::answer::Answer;
use super::asked::Asked;
use super::body::object_of;
use super::engine::Engine;
use super::error::ApiError;
use super::fields::Fields;
use super::format;
use super::job::Prompt;
use super::logprobs;
use super::messages::items;
use super::reply::reply;
use super::response::Responses;

/// Answers an input.
pub(super) async fn handle(
    State(engine): State<Arc<Engine>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let fields = Fields::new(&object);
    let asked = asked(&fields, &engine.defaults, &caller)?;
    let shape = Responses::new(&object);
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
    asked.job.logprobs = logprobs::of_response(fields)?;
    asked.tools(fields, None)
}

/// What the instructions say, then the input: a text, or messages.
fn input(fields: &Fields<'_>) -> Result<Vec<Message>, ApiError> {
    let instructions = fields.string("instructions")?;
    let mut all: Vec<Message> = instructions
        .map(|text| Message::new("system", text))
        .into_iter()
        .collect();
    match fields.value("input") {
        Some(Value::String(text)) => all.push(Message::new("user", text)),
        Some(Value::Array(list)) => all.extend(items("input", list)?),
        _ => {
            let sentence = "input is to be a text, or a list of messages";
            return Err(ApiError::field("input", sentence));
        }
    }
    Ok(all)
}

/// Refuses what would need a memory of responses.
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
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
            ("top_logprobs", json!(21)),
        ] {
            let mut object = json!({ "input": "a" });
            object[name] = value;
            let error = job(object).unwrap_err();
            assert_eq!(error.to_json()["error"]["param"], name);
        }
        let schema = json!({ "input": "a", "text": { "format": { "type": "json_schema" } } });
        assert!(job(schema).is_err());
    }
}
