// SPDX-License-Identifier: MIT OR Apache-2.0
//! GET /health, /get_load and /metrics; what is not there.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{header, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::engine::Engine;
use super::error::ApiError;
use super::reply::json;

/// Whether requests are answered: no while the server is being stopped, or when the device does not answer.
pub(super) async fn health(State(engine): State<Arc<Engine>>) -> Result<Response, ApiError> {
    if engine.is_draining() {
        return Err(ApiError::draining());
    }
    engine.device.query()?;
    Ok(json(&json!({ "status": "ok" })))
}

/// How much there is to do, for routers.
pub(super) async fn load(State(engine): State<Arc<Engine>>) -> Response {
    let present = engine.present();
    json(&json!({
        "load": present.running + present.waiting,
        "running": present.running,
        "waiting": present.waiting,
    }))
}

/// What is counted.
pub(super) async fn metrics(State(engine): State<Arc<Engine>>) -> Response {
    let text = engine.metrics.text(engine.present());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Another path.
pub(super) async fn no_path(uri: Uri) -> ApiError {
    let sentence = format!(
        "there is nothing at {}: / (the page), /v1/models, /v1/completions, /v1/chat/completions, /v1/responses, /v1/embeddings, /tokenize, \
         /detokenize, /health, /get_load and /metrics are",
        uri.path()
    );
    ApiError::new(StatusCode::NOT_FOUND, sentence)
}

/// A path that is asked by another method.
pub(super) async fn no_method(uri: Uri) -> ApiError {
    let sentence = format!("{} is asked by another method", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
}
