// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page at /, for people: a conversation in a browser, by the same API as other clients.

use std::sync::Arc;

use axum::http::{header, HeaderName};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;

use super::engine::Engine;

const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Nothing from elsewhere, nothing inline, in no frame of another page.
const POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page.
#[derive(Clone, Copy)]
struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

const FILES: [File; 5] = [
    File {
        path: "/",
        kind: "text/html; charset=utf-8",
        text: include_str!("index.html"),
    },
    File {
        path: "/page.css",
        kind: "text/css; charset=utf-8",
        text: include_str!("page.css"),
    },
    File {
        path: "/page.js",
        kind: SCRIPT,
        text: include_str!("page.js"),
    },
    File {
        path: "/server.js",
        kind: SCRIPT,
        text: include_str!("server.js"),
    },
    File {
        path: "/events.js",
        kind: SCRIPT,
        text: include_str!("events.js"),
    },
];

/// The paths of the page.
pub(crate) fn router() -> Router<Arc<Engine>> {
    FILES.into_iter().fold(Router::new(), |router, file| {
        router.route(file.path, get(move || async move { file.response() }))
    })
}

/// Whether `path` is of the page, which everybody may see: it tells nothing, and asks for a key itself.
pub(crate) fn has(path: &str) -> bool {
    FILES.iter().any(|file| file.path == path)
}

impl File {
    fn response(self) -> Response {
        let headers: [(HeaderName, &str); 5] = [
            (header::CONTENT_TYPE, self.kind),
            // The files change with the program.
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, self.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_what_is_there() {
        for file in FILES {
            for quoted in file.text.split('"') {
                if quoted.ends_with(".css") || quoted.ends_with(".js") {
                    assert!(has(quoted), "{quoted} in {}", file.path);
                }
            }
        }
    }

    #[test]
    fn no_text_becomes_html() {
        for file in FILES {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacent",
                "document.write",
                "eval(",
            ] {
                assert!(!file.text.contains(way), "{way} in {}", file.path);
            }
        }
    }

    #[test]
    fn a_browser_takes_it_from_here_alone() {
        let response = FILES[0].response();
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str();
        assert!(policy.unwrap().starts_with("default-src 'self';"));
    }
}
