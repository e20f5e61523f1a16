// SPDX-License-Identifier: MIT OR Apache-2.0
//! The paths of the server.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{from_fn_with_state, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::Router;

use super::access::{self, Access};
use super::engine::Engine;
use super::{chat, completions, embeddings, models, page, responses, status, text};

/// Paths by which requests are counted: others would let clients make up labels.
const COUNTED: [&str; 11] = [
    "/",
    "/v1/models",
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/tokenize",
    "/detokenize",
    "/health",
    "/get_load",
    "/metrics",
];

/// All paths, for those whom `access` lets through.
pub(super) fn router(engine: Arc<Engine>, access: Access) -> Router {
    Router::new()
        .route("/v1/models", get(models::list))
        .route("/v1/models/{id}", get(models::one))
        .route("/v1/completions", post(completions::handle))
        .route("/v1/chat/completions", post(chat::handle))
        .route("/v1/responses", post(responses::handle))
        .route("/v1/embeddings", post(embeddings::handle))
        .route("/tokenize", post(text::tokenize))
        .route("/detokenize", post(text::detokenize))
        .route("/health", get(status::health))
        .route("/get_load", get(status::load))
        .route("/metrics", get(status::metrics))
        .merge(page::router())
        .fallback(status::no_path)
        .method_not_allowed_fallback(status::no_method)
        .layer(from_fn_with_state(Arc::new(access), access::check))
        .layer(from_fn_with_state(engine.clone(), count))
        .with_state(engine)
}

/// Counts a request by its path and status.
async fn count(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let known = COUNTED.iter().find(|known| **known == path);
    let known = known.unwrap_or(if path.starts_with("/v1/models/") {
        &"/v1/models/{id}"
    } else {
        &"other"
    });
    let response = next.run(request).await;
    engine
        .metrics
        .count_request(known, response.status().as_u16());
    response
}
