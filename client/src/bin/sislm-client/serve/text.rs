// SPDX-License-Identifier: MIT OR Apache-2.0
//! POST /tokenize and /detokenize.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{json, Map, Value};
use sislm::{Model, ModelName, Session, SessionConfig, Tokenize};
use tokio::task::spawn_blocking;

use super::body::object_of;
use super::engine::Engine;
use super::error::ApiError;
use super::fields::Fields;
use super::reply::json;
use super::sampling::id;

/// Text to ids.
pub(super) async fn tokenize(
    State(engine): State<Arc<Engine>>,
    request: Request,
) -> Result<Response, ApiError> {
    answer(engine, request, |engine, fields| {
        let text = fields.string("content")?.or(fields.string("prompt")?);
        let text = text.ok_or_else(|| ApiError::field("content", "content is to be a text"))?;
        let how = Tokenize {
            first: fields.boolean("add_special")?.unwrap_or(false),
            control: fields.boolean("parse_special")?.unwrap_or(false),
        };
        let (model, session) = session(engine, fields)?;
        let ids = session.tokenize(text.as_bytes(), how)?;
        Ok(json!({ "model": model.name(), "tokens": ids, "count": ids.len(), "max_model_len": model.context }))
    })
    .await
}

/// Ids to text.
pub(super) async fn detokenize(
    State(engine): State<Arc<Engine>>,
    request: Request,
) -> Result<Response, ApiError> {
    answer(engine, request, |engine, fields| {
        let list = fields.list("tokens")?.unwrap_or_default();
        let ids: Option<Vec<u32>> = list.iter().map(id).collect();
        let ids = ids.ok_or_else(|| ApiError::field("tokens", "tokens is to be a list of ids"))?;
        let (model, session) = session(engine, fields)?;
        if ids.iter().any(|&id| id >= model.vocabulary) {
            let sentence = format!(
                "the ids of {:?} are 0 to {}",
                model.name(),
                model.vocabulary - 1
            );
            return Err(ApiError::field("tokens", sentence));
        }
        let text = session.detokenize(&ids, false)?;
        let text = String::from_utf8_lossy(&text);
        Ok(json!({ "model": model.name(), "content": text, "prompt": text }))
    })
    .await
}

/// The object that `work` makes of a request, on a thread that may wait.
async fn answer(
    engine: Arc<Engine>,
    request: Request,
    work: fn(&Engine, &Fields<'_>) -> Result<Value, ApiError>,
) -> Result<Response, ApiError> {
    let object: Map<String, Value> = object_of(request).await?;
    let work = spawn_blocking(move || work(&engine, &Fields::new(&object)));
    match work.await {
        Ok(result) => Ok(json(&result?)),
        Err(_) => Err(ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the answer was lost: try again",
        )),
    }
}

/// A session on the model of the request.
fn session(engine: &Engine, fields: &Fields<'_>) -> Result<(Model, Session), ApiError> {
    let model = engine.model(fields.string("model")?)?;
    let name: Option<ModelName> = model.full_name().parse().ok();
    let config = SessionConfig {
        model: name,
        ..Default::default()
    };
    let session = engine.device.session(&config)?;
    Ok((model, session))
}
