// SPDX-License-Identifier: MIT OR Apache-2.0
//! GET /v1/models and /v1/models/{id}.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{json, Value};
use sislm::Model;

use super::engine::Engine;
use super::error::ApiError;
use super::reply::json;

/// All models.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Result<Response, ApiError> {
    let models = engine.device.models()?;
    let data: Value = models.iter().map(|model| object(&engine, model)).collect();
    Ok(json(&json!({ "object": "list", "data": data })))
}

/// One of them.
pub(super) async fn one(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let model = engine.model(Some(&name))?;
    Ok(json(&object(&engine, &model)))
}

fn object(engine: &Engine, model: &Model) -> Value {
    json!({
        "id": model.name(),
        "object": "model",
        "created": engine.started,
        "owned_by": "sislm",
        "sha256": model.digest().to_string(),
        "architecture": model.architecture_name(),
        "parameters": model.parameters,
        "context": model.context,
        "system_fingerprint": engine.fingerprint(model),
    })
}
