// SPDX-License-Identifier: MIT OR Apache-2.0
//! The body of a request.

use std::time::Duration;

use axum::body::{to_bytes, HttpBody};
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
    let body = request.into_body();
    // One that says its length is refused before it is read, so that the answer is the same however slowly it comes.
    if body.size_hint().lower() > MOST as u64 {
        return Err(too_large());
    }
    let bytes = match timeout(LIMIT, to_bytes(body, MOST)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(too_large()),
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

fn too_large() -> ApiError {
    let sentence = format!("the body is cut off, or has more than the {MOST} bytes that are taken");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, sentence)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes};
    use futures_util::stream;
    use hyper::body::{Frame, SizeHint};
    use tokio::time::Instant;

    use super::*;

    const JSON: &str = "application/json; charset=utf-8";

    /// A body that says its length, and of which nothing comes.
    struct Said(u64);

    impl HttpBody for Said {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.0)
        }
    }

    async fn status(kind: &str, body: impl Into<Body>) -> Option<u16> {
        let request = Request::builder().header(header::CONTENT_TYPE, kind);
        let request = request.body(body.into()).unwrap();
        object_of(request)
            .await
            .err()
            .map(|error| error.status.as_u16())
    }

    #[tokio::test]
    async fn a_body_is_an_object_of_json() {
        assert_eq!(status(JSON, b"{}".to_vec()).await, None);
        assert_eq!(status(JSON, b"[]".to_vec()).await, Some(400));
        assert_eq!(status(JSON, b"{".to_vec()).await, Some(400));
        assert_eq!(status(JSON, b"".to_vec()).await, Some(400));
        assert_eq!(status("text/plain", b"{}".to_vec()).await, Some(415));
        // As deep as would overflow a stack that follows it.
        assert_eq!(status(JSON, vec![b'['; 1 << 20]).await, Some(400));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_is_bounded() {
        let most = MOST as u64;
        // Before anything of it has come, as the clock shows.
        let start = Instant::now();
        assert_eq!(status(JSON, Body::new(Said(most + 1))).await, Some(413));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(status(JSON, Body::new(Said(most))).await, Some(408));
        assert!(start.elapsed() >= LIMIT);
        let halves = |count| {
            let half = Ok::<_, Infallible>(vec![b' '; MOST / 2 + 1]);
            Body::from_stream(stream::iter(vec![half; count]))
        };
        assert_eq!(status(JSON, halves(1)).await, Some(400));
        assert_eq!(status(JSON, halves(2)).await, Some(413));
    }
}
