// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a request may get instead of an answer, as clients of the OpenAI API read it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use nix::errno::Errno;
use serde_json::{json, Value};
use sislm::{ChatError, Error, TemplateError};

/// When a client that was refused should try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// As the status says.
    Unsaid,
    /// After this time.
    After(Duration),
    /// Not at all.
    Never,
}

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApiError {
    /// The status, unless the answer has begun.
    pub status: StatusCode,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
    retry: Retry,
}

impl ApiError {
    /// With this status and sentence.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            param: None,
            message: message.into(),
            retry: Retry::Unsaid,
        }
    }

    /// The field `param` of the request is wrong.
    pub(super) fn field(param: &str, message: impl Into<String>) -> Self {
        Self {
            code: Some("invalid_value"),
            param: Some(param.into()),
            ..Self::new(StatusCode::BAD_REQUEST, message)
        }
    }

    /// The field `param` asks for what is not there.
    pub(super) fn unsupported(param: &str, message: impl Into<String>) -> Self {
        Self {
            code: Some("unsupported_parameter"),
            ..Self::field(param, message)
        }
    }

    /// No such model.
    pub(super) fn no_model(message: impl Into<String>) -> Self {
        Self {
            code: Some("model_not_found"),
            param: Some("model".into()),
            ..Self::new(StatusCode::NOT_FOUND, message)
        }
    }

    /// Too much at once.
    pub(super) fn busy(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with("overloaded", RETRY)
    }

    /// The server ends.
    pub(super) fn draining() -> Self {
        let message = "the server is being stopped; another one, or this one later, will answer";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).with("shutting_down", RETRY)
    }

    fn with(self, code: &'static str, retry: Retry) -> Self {
        Self {
            code: Some(code),
            retry,
            ..self
        }
    }

    /// The object that a client raises as an error.
    pub(super) fn to_json(&self) -> Value {
        let kind = match self.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        json!({ "error": {
            "message": self.message,
            "type": kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}

/// Time after which what is missing may be there.
const RETRY: Retry = Retry::After(Duration::from_secs(1));
/// The same where others' turns have taken it.
const SOON: Retry = Retry::After(Duration::from_millis(500));

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        if let Error::Configure {
            refused: Some(range),
            ..
        } = &error
        {
            // Named as in the request.
            let name = range.option.unwrap_or("a field").trim_start_matches('-');
            let name = name.replace('-', "_");
            let sentence = format!(
                "{name} is out of its range: give {} to {}",
                range.least, range.most
            );
            return Self::field(&name, sentence);
        }
        let answer = |status| Self::new(status, message.clone());
        match error.errno() {
            Errno::EMSGSIZE => {
                answer(StatusCode::BAD_REQUEST).with("context_length_exceeded", Retry::Unsaid)
            }
            Errno::ENOENT | Errno::EIDRM | Errno::ENOTUNIQ
                if !matches!(error, Error::Open { .. }) =>
            {
                Self::no_model(message)
            }
            // An encoder makes no text.
            Errno::EOPNOTSUPP => Self::field("model", message),
            Errno::EINVAL => answer(StatusCode::BAD_REQUEST).with("invalid_value", Retry::Unsaid),
            Errno::EDQUOT => {
                answer(StatusCode::TOO_MANY_REQUESTS).with("rate_limit_exceeded", SOON)
            }
            Errno::ENOMEM | Errno::ENFILE | Errno::EMFILE | Errno::EUSERS | Errno::EBUSY => {
                answer(StatusCode::SERVICE_UNAVAILABLE).with("overloaded", RETRY)
            }
            Errno::EIO | Errno::ENXIO | Errno::ENODEV | Errno::ENOENT | Errno::EACCES => {
                answer(StatusCode::SERVICE_UNAVAILABLE).with("device_unavailable", Retry::Never)
            }
            _ => answer(StatusCode::INTERNAL_SERVER_ERROR).with("device_error", Retry::Never),
        }
    }
}

impl From<ChatError> for ApiError {
    fn from(error: ChatError) -> Self {
        match error {
            ChatError::Device(error) => error.into(),
            ChatError::Template(error) => {
                let message = error.to_string();
                match error {
                    TemplateError::NoRenderer(_) => Self::busy(message),
                    TemplateError::Syntax(_) | TemplateError::Endless => {
                        Self::field("model", message)
                    }
                    _ => Self::field("messages", message),
                }
            }
            error => Self::field(
                "model",
                format!("{error}; ask /v1/completions to continue a text"),
            ),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json().to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
        match self.retry {
            Retry::Unsaid => {}
            Retry::After(time) => {
                let seconds = HeaderValue::from(time.as_secs().max(1));
                headers.insert(header::RETRY_AFTER, seconds);
                let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                headers.insert("retry-after-ms", HeaderValue::from(milliseconds));
            }
            Retry::Never => {
                headers.insert("x-should-retry", HeaderValue::from_static("false"));
            }
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use sislm::{Finish, OutOfRange};

    use super::*;

    fn call(errno: Errno) -> Error {
        let finish = Finish::Error;
        Error::Turn { finish, errno }
    }

    #[test]
    fn an_errno_has_its_status_and_code() {
        let long = Error::PromptTokens {
            tokens: 9,
            context: 8,
        };
        let missing = Error::Configure {
            model: None,
            errno: Errno::ENOENT,
            refused: None,
        };
        let closed = Error::Open {
            path: "/dev/sislm".into(),
            errno: Errno::ENOENT,
        };
        for (error, status, code, retry) in [
            (long, 400, "context_length_exceeded", Retry::Unsaid),
            (missing, 404, "model_not_found", Retry::Unsaid),
            (call(Errno::EIDRM), 404, "model_not_found", Retry::Unsaid),
            (call(Errno::EINVAL), 400, "invalid_value", Retry::Unsaid),
            (call(Errno::EOPNOTSUPP), 400, "invalid_value", Retry::Unsaid),
            (call(Errno::EDQUOT), 429, "rate_limit_exceeded", SOON),
            (call(Errno::ENOMEM), 503, "overloaded", RETRY),
            (call(Errno::ENFILE), 503, "overloaded", RETRY),
            (call(Errno::EIO), 503, "device_unavailable", Retry::Never),
            (closed, 503, "device_unavailable", Retry::Never),
            (call(Errno::EPROTO), 500, "device_error", Retry::Never),
        ] {
            let found = ApiError::from(error.clone());
            assert_eq!(
                (found.status.as_u16(), found.code, found.retry),
                (status, Some(code), retry),
                "{error:?}"
            );
            // A client would repeat it at once.
            assert_ne!(found.status, StatusCode::CONFLICT);
        }
    }

    #[test]
    fn a_number_out_of_its_range_is_the_field_s() {
        let error = ApiError::from(Error::Configure {
            model: None,
            errno: Errno::EINVAL,
            refused: Some(OutOfRange {
                option: Some("--top-p"),
                least: "0.000001".into(),
                most: "1".into(),
            }),
        });
        let object = &error.to_json()["error"];
        assert_eq!(object["param"], "top_p");
        assert_eq!(
            object["message"],
            "top_p is out of its range: give 0.000001 to 1"
        );
        assert_eq!(object["type"], "invalid_request_error");
    }

    #[test]
    fn headers_say_when_to_try_again() {
        let header = |error: ApiError, name: &str| {
            let response = error.into_response();
            let value = response.headers().get(name).cloned();
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let busy = || ApiError::from(call(Errno::EDQUOT));
        assert_eq!(header(busy(), "retry-after-ms").as_deref(), Some("500"));
        assert_eq!(header(busy(), "retry-after").as_deref(), Some("1"));
        let broken = ApiError::from(call(Errno::EIO));
        assert_eq!(header(broken, "x-should-retry").as_deref(), Some("false"));
    }
}
