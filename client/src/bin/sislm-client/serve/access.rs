// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who may use the server, and who is who.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{header, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::keys::Keys;
use super::page;

/// The other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over a UNIX socket, whose mode has let this user in.
    Unix(u32),
}

/// Who sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Somebody on this machine.
    Local,
    /// The user of this id.
    User(u32),
    /// Who holds the key of this name.
    Key(String),
}

impl Caller {
    /// Whose contexts a request may go on with. A caller may split its own by `key`.
    pub(super) fn tenant(&self, key: Option<&str>) -> String {
        let key = key.unwrap_or("");
        match self {
            Self::Local => format!("local:{key}"),
            Self::User(user) => format!("user-{user}:{key}"),
            Self::Key(name) => format!("key-{name}:{key}"),
        }
    }

    /// The tenant of the device whose time its turns take; one cannot have several by `key`.
    pub(super) fn number(&self) -> u64 {
        let hash: [u8; 32] = Sha256::digest(self.tenant(None)).into();
        hash.iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// What is asked of callers.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// The keys; None where none is needed.
    pub keys: Option<Keys>,
    /// Names by which the server may be called without a key, beside this machine's own.
    pub hosts: Vec<String>,
}

/// Lets a request through, with its [`Caller`].
pub(super) async fn check(
    State(access): State<Arc<Access>>,
    Extension(peer): Extension<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    match access.caller(peer, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

impl Access {
    fn caller(&self, peer: Peer, request: &Request) -> Result<Caller, ApiError> {
        let text = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        match (peer, &self.keys) {
            (Peer::Unix(user), _) => Ok(Caller::User(user)),
            (_, Some(_)) if is_open(request.uri().path()) => Ok(Caller::Local),
            (_, Some(keys)) => {
                let key = text(header::AUTHORIZATION).and_then(bearer).unwrap_or("");
                let name = keys.name_of(key).ok_or_else(|| {
                    let sentence = "no valid API key: send one as Authorization: Bearer KEY";
                    ApiError::new(StatusCode::UNAUTHORIZED, sentence)
                })?;
                Ok(Caller::Key(name.into()))
            }
            (Peer::Tcp(address), None) if !is_local(address.ip()) => {
                let sentence = "without API keys this machine alone is answered";
                Err(ApiError::new(StatusCode::FORBIDDEN, sentence))
            }
            (Peer::Tcp(_), None) => {
                // A page of another site may name this machine as its own: its requests then have that name.
                let host = text(header::HOST).unwrap_or("");
                if !self.is_ours(host) {
                    let sentence = format!(
                        "{host:?} is no name of this server: --host {host} allows it, or use API keys"
                    );
                    return Err(ApiError::new(StatusCode::FORBIDDEN, sentence));
                }
                Ok(Caller::Local)
            }
        }
    }

    /// Whether a Host header names this machine.
    fn is_ours(&self, host: &str) -> bool {
        let Ok(uri) = host.parse::<Uri>() else {
            return false;
        };
        let name = uri.host().unwrap_or("").trim_matches(['[', ']']);
        name == "localhost"
            || name.parse().is_ok_and(is_local)
            || self
                .hosts
                .iter()
                .any(|host| host.eq_ignore_ascii_case(name))
    }
}

/// Whether a path needs no key: /health is looked at by machines that have none, the page asks for it. They tell nothing.
fn is_open(path: &str) -> bool {
    path == "/health" || page::has(path)
}

/// Whether an address is this machine's own.
pub(super) fn is_local(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    const LOCAL: &str = "127.0.0.1:9";
    const FAR: &str = "192.0.2.1:9";

    fn caller(access: &Access, peer: &str, headers: &[(&str, &str)]) -> Result<Caller, u16> {
        let mut request = Request::builder().uri("/v1/models");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let peer = Peer::Tcp(peer.parse().unwrap());
        access
            .caller(peer, &request)
            .map_err(|error| error.status.as_u16())
    }

    #[test]
    fn without_keys_this_machine_alone_is_answered() {
        let access = Access::default();
        let host = [("host", "localhost:8080")];
        assert_eq!(caller(&access, LOCAL, &host), Ok(Caller::Local));
        assert_eq!(
            caller(&access, "[::1]:9", &[("host", "[::1]:8080")]),
            Ok(Caller::Local)
        );
        assert_eq!(
            caller(&access, "[::ffff:127.0.0.1]:9", &host),
            Ok(Caller::Local)
        );
        assert_eq!(caller(&access, FAR, &host), Err(403));
    }

    #[test]
    fn a_foreign_name_of_this_machine_is_refused() {
        let mut access = Access::default();
        for host in ["evil.example", "localhost.evil.example:80", "", "192.0.2.1"] {
            assert_eq!(
                caller(&access, LOCAL, &[("host", host)]),
                Err(403),
                "{host}"
            );
        }
        access.hosts.push("llm.example".into());
        assert_eq!(
            caller(&access, LOCAL, &[("host", "llm.example")]),
            Ok(Caller::Local)
        );
    }

    #[test]
    fn with_keys_everybody_needs_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let key = Keys::add(&path, "one").unwrap();
        let access = Access {
            keys: Some(Keys::read(&path).unwrap()),
            ..Default::default()
        };
        let with = |value: &str| caller(&access, FAR, &[("authorization", value)]);
        assert_eq!(
            with(&format!("Bearer {key}")),
            Ok(Caller::Key("one".into()))
        );
        assert_eq!(
            with(&format!("bearer {key}")),
            Ok(Caller::Key("one".into()))
        );
        assert_eq!(with(&key), Err(401));
        assert_eq!(with("Bearer x"), Err(401));
        assert_eq!(caller(&access, LOCAL, &[]), Err(401));
        let request = Request::builder()
            .uri("/v1/models")
            .body(Body::empty())
            .unwrap();
        assert_eq!(
            access.caller(Peer::Unix(1000), &request),
            Ok(Caller::User(1000))
        );
    }

    #[test]
    fn nobody_names_another_s_contexts() {
        let key = |name: &str| Caller::Key(name.into());
        assert_ne!(
            Caller::Local.tenant(Some("a")),
            Caller::User(0).tenant(Some("a"))
        );
        assert_ne!(key("a").tenant(Some("b")), key("b").tenant(Some("b")));
        assert_ne!(key("a").tenant(Some("b")), key("a").tenant(None));
        assert_ne!(key("a").number(), key("b").number());
        assert_ne!(Caller::User(1).number(), Caller::User(2).number());
    }
}
