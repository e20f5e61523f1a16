// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /v1/embeddings.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::{Error, KvType, Model, Pooling, SessionConfig, Tokenize};
use tokio::task::spawn_blocking;

use super::base64;
use super::body::object_of;
use super::engine::Engine;
use super::error::ApiError;
use super::fields::Fields;
use super::hangup::{Hangup, Line};
use super::job::Prompt;
use super::prompts::prompts;
use super::reply::{json, lost};

/// Most inputs of a request.
const INPUTS_MAX: usize = 64;

/// Embeds texts.
pub(super) async fn handle(
    State(engine): State<Arc<Engine>>,
    request: Request,
) -> Result<Response, ApiError> {
    let object = object_of(request).await?;
    let asked = Asked::of(&object)?;
    engine.admit()?;
    let hangup = Arc::new(Hangup::default());
    engine.note(&hangup);
    let _line = Line(hangup.clone());
    let running = engine.turn().await.ok_or_else(ApiError::draining)?;
    let work = spawn_blocking(move || embed(running.engine(), &asked, &hangup));
    Ok(json(&work.await.map_err(|_| lost())??))
}

/// A request, understood.
struct Asked {
    model: Option<String>,
    inputs: Vec<Prompt>,
    dimensions: Option<u32>,
    pooling: Option<Pooling>,
    base64: bool,
}

impl Asked {
    fn of(object: &Map<String, Value>) -> Result<Self, ApiError> {
        let fields = Fields::new(object);
        let base64 = match fields.string("encoding_format")? {
            None | Some("float") => false,
            Some("base64") => true,
            Some(_) => {
                let sentence = "encoding_format is to be float or base64";
                return Err(ApiError::field("encoding_format", sentence));
            }
        };
        Ok(Self {
            model: fields.string("model")?.map(str::to_owned),
            inputs: prompts(&fields, "input", INPUTS_MAX)?,
            pooling: pooling(&fields)?,
            dimensions: fields.integer("dimensions", 1..=u32::MAX)?,
            base64,
        })
    }
}

/// How one embedding is made of a text, where the request says it.
fn pooling(fields: &Fields<'_>) -> Result<Option<Pooling>, ApiError> {
    let wrong = || ApiError::field("pooling", "pooling is to be mean, first or last");
    let Some(text) = fields.string("pooling")? else {
        return Ok(None);
    };
    let found = text
        .parse()
        .ok()
        .filter(|pooling| *pooling != Pooling::None);
    found.map(Some).ok_or_else(wrong)
}

/// The object of the answer.
fn embed(engine: &Engine, asked: &Asked, hangup: &Hangup) -> Result<Value, ApiError> {
    let model = engine.model(asked.model.as_deref())?;
    let of_file = model.pooling().filter(|pooling| *pooling != Pooling::None);
    let pooling = asked.pooling.or(of_file).ok_or_else(|| {
        let sentence = "the model's file does not say how an embedding is made of a text: ask for it by pooling (mean, \
                        first or last), as the model was trained";
        ApiError::field("pooling", sentence)
    })?;
    if asked
        .dimensions
        .is_some_and(|asked| asked != model.embedding)
    {
        let sentence = format!(
            "embeddings of this model have {} dimensions",
            model.embedding
        );
        return Err(ApiError::unsupported("dimensions", sentence));
    }
    let config = SessionConfig {
        model: model.full_name().parse().ok(),
        context: model.context,
        // As the client's own command.
        kv: KvType::F32,
        ..Default::default()
    };
    let mut session = engine.device.session(&config)?;
    let _armed = hangup.arm(session.canceller()?);
    let (mut data, mut tokens) = (Vec::new(), 0);
    for (index, input) in asked.inputs.iter().enumerate() {
        if hangup.came() {
            return Err(ApiError::draining());
        }
        let ids = match input {
            Prompt::Ids(ids) => ids.clone(),
            Prompt::Text(text) => session.tokenize(text.as_bytes(), FIRST)?,
            Prompt::Messages(_) => return Err(ApiError::field("input", "input is to be text")),
        };
        check(&model, &ids)?;
        tokens += ids.len();
        let mut embedding = session.embed(&model, &ids, Some(pooling))?;
        embedding.normalize();
        let row = embedding.rows.concat();
        let row = match asked.base64 {
            true => json!(base64::encode(
                &row.iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect::<Vec<u8>>()
            )),
            false => json!(row),
        };
        data.push(json!({ "object": "embedding", "index": index, "embedding": row }));
    }
    engine.metrics.count_tokens(tokens as u64, 0, 0);
    Ok(json!({
        "object": "list",
        "data": data,
        "model": asked.model.clone().unwrap_or_else(|| model.name()),
        "system_fingerprint": engine.fingerprint(&model),
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
    }))
}

/// As a whole text, in which names of control tokens are text.
const FIRST: Tokenize = Tokenize {
    first: true,
    control: false,
};

/// Refuses no tokens, too many, and those that the model does not have.
fn check(model: &Model, ids: &[u32]) -> Result<(), ApiError> {
    if ids.is_empty() {
        return Err(ApiError::field(
            "input",
            "an input is empty: give it some text",
        ));
    }
    if ids.len() > model.context as usize {
        return Err(Error::PromptTokens {
            tokens: u32::try_from(ids.len()).unwrap_or(u32::MAX),
            context: model.context,
        }
        .into());
    }
    match ids.iter().find(|&&id| id >= model.vocabulary) {
        None => Ok(()),
        Some(id) => Err(ApiError::field(
            "input",
            format!(
                "there is no token {id}: the model has {} tokens, from 0",
                model.vocabulary
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(object: Value) -> Result<Asked, ApiError> {
        Asked::of(object.as_object().unwrap())
    }

    #[test]
    fn an_input_is_text_or_ids_or_some_of_them() {
        let found = asked(json!({ "input": ["a", [1, 2]], "encoding_format": "base64" })).unwrap();
        assert_eq!(
            found.inputs,
            [Prompt::Text("a".into()), Prompt::Ids(vec![1, 2])]
        );
        assert!(found.base64);
        for (name, value) in [
            ("input", json!([])),
            ("input", json!(vec!["a"; INPUTS_MAX + 1])),
            ("encoding_format", json!("hex")),
            ("dimensions", json!(0)),
            ("pooling", json!("none")),
        ] {
            let mut object = json!({ "input": "a" });
            object[name] = value;
            let error = asked(object).err().unwrap();
            assert_eq!(error.to_json()["error"]["param"], name);
        }
    }

    #[test]
    fn ids_are_checked_before_the_device_sees_them() {
        let model = Model {
            vocabulary: 10,
            context: 4,
            ..Default::default()
        };
        let status = |ids: &[u32]| check(&model, ids).err().map(|error| error.status.as_u16());
        assert_eq!(status(&[0, 9]), None);
        assert_eq!(status(&[]), Some(400));
        assert_eq!(status(&[10]), Some(400));
        assert_eq!(status(&[1; 5]), Some(400));
    }
}
