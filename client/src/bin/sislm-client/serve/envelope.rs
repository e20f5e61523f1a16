// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is around the choices of an answer, whole or in chunks.

use serde_json::{json, Value};

use super::identity::Identity;
use super::job::Usage;
use super::reply::Whole;
use super::sse;

/// The members that all objects of an answer have.
#[derive(Debug)]
pub(super) struct Envelope {
    identity: Identity,
    kind: &'static str,
    usage: bool,
    model: String,
    fingerprint: String,
}

impl Envelope {
    /// Of a new answer, its name beginning with `prefix`; `kind` is the type of its objects. With `usage`, a stream ends with
    /// the usage.
    pub(super) fn new(prefix: &str, kind: &'static str, usage: bool) -> Self {
        Self {
            identity: Identity::new(prefix),
            kind,
            usage,
            model: String::new(),
            fingerprint: String::new(),
        }
    }

    /// Takes what is known once the answer has begun.
    pub(super) fn begin(&mut self, model: &str, fingerprint: &str) {
        (self.model, self.fingerprint) = (model.into(), fingerprint.into());
    }

    /// The object of an answer with all its choices.
    pub(super) fn whole(&self, whole: &Whole, choices: Value) -> Value {
        let mut object = self.object(&whole.model, &whole.fingerprint, choices);
        object["usage"] = whole.usage.to_json();
        object
    }

    /// The event of one choice.
    pub(super) fn chunk(&self, choice: Value) -> String {
        self.event(json!([choice]), Value::Null)
    }

    /// The events after those of all choices.
    pub(super) fn last(&self, usage: &Usage) -> String {
        let last = match self.usage {
            true => self.event(json!([]), usage.to_json()),
            false => String::new(),
        };
        last + sse::DONE
    }

    fn event(&self, choices: Value, usage: Value) -> String {
        let mut object = self.object(&self.model, &self.fingerprint, choices);
        if self.usage {
            object["usage"] = usage;
        }
        sse::data(&object)
    }

    fn object(&self, model: &str, fingerprint: &str, choices: Value) -> Value {
        json!({
            "id": self.identity.id,
            "object": self.kind,
            "created": self.identity.created,
            "model": model,
            "system_fingerprint": fingerprint,
            "choices": choices,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_ends_with_the_usage_that_is_asked_for() {
        let usage = Usage {
            prompt: 3,
            cached: 2,
            answer: 1,
        };
        let envelope = |usage| Envelope::new("a-", "b", usage);
        assert_eq!(envelope(false).last(&usage), sse::DONE);
        assert!(!envelope(false).chunk(json!({})).contains("usage"));
        assert!(envelope(true).chunk(json!({})).contains(r#""usage":null"#));
        let last = envelope(true).last(&usage);
        assert!(
            last.contains(r#""choices":[],"usage":{"prompt_tokens":3,"#),
            "{last}"
        );
        assert!(last.contains(r#""cached_tokens":2"#), "{last}");
    }
}
