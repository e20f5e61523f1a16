// SPDX-License-Identifier: MIT OR Apache-2.0
//! The body of a request.

use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{header, StatusCode};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::error::ApiError;

/// Most bytes of a body.
const MOST: usize = 4 << 20;
/// Time in which it is to come.
const LIMIT: Duration = Duration::from_secs(30);

/// The object in the body.
pub(super) async fn object_of(request: Request) -> Result<Map<String, Value>, ApiError> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    // A page of another site can have a browser send other types without being asked.
    if !kind.to_ascii_lowercase().starts_with("application/json") {
        let sentence = "the body is to be JSON: send it with Content-Type: application/json";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence));
    }
    let bytes = match timeout(LIMIT, to_bytes(request.into_body(), MOST)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let sentence =
                format!("the body is cut off, or has more than the {MOST} bytes that are taken");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, sentence));
        }
        Err(_) => {
            let sentence = "the body did not come in time: try again";
            return Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, sentence));
        }
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "the body is to be a JSON object",
        )),
        Err(error) => Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            format!("the body is no JSON: {error}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    async fn status(kind: &str, body: Vec<u8>) -> Option<u16> {
        let request = Request::builder().header(header::CONTENT_TYPE, kind);
        let request = request.body(Body::from(body)).unwrap();
        object_of(request)
            .await
            .err()
            .map(|error| error.status.as_u16())
    }

    #[tokio::test]
    async fn a_body_is_an_object_of_json() {
        const JSON: &str = "application/json; charset=utf-8";
        assert_eq!(status(JSON, b"{}".to_vec()).await, None);
        assert_eq!(status(JSON, b"[]".to_vec()).await, Some(400));
        assert_eq!(status(JSON, b"{".to_vec()).await, Some(400));
        assert_eq!(status(JSON, b"".to_vec()).await, Some(400));
        assert_eq!(status(JSON, vec![b' '; MOST + 1]).await, Some(413));
        assert_eq!(status("text/plain", b"{}".to_vec()).await, Some(415));
        // As deep as would overflow a stack that follows it.
        assert_eq!(status(JSON, vec![b'['; 1 << 20]).await, Some(400));
    }
}
