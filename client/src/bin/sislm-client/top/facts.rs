// SPDX-License-Identifier: MIT OR Apache-2.0
//! What /proc/PID/fdinfo says about an open file of the device.

use serde_json::{json, Value};

/// Facts of one session. Those that it does not have, or that cannot be read while a call changes it, are None or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// idle, pending (a prompt that nobody reads the answer of yet), running, or busy while a call changes the session.
    pub state: String,
    /// Name of the model.
    pub model: Option<String>,
    /// Positions of the context.
    pub context: u64,
    /// Those in use.
    pub positions: u64,
    /// Blocks of keys and values.
    pub kv_blocks: u64,
    /// Tokens of the prompt of the last turn that ended.
    pub prompt_tokens: u64,
    /// Its tokens.
    pub tokens: u64,
    /// Nanoseconds until its first token.
    pub prefill_ns: u64,
    /// Nanoseconds from there on.
    pub decode_ns: u64,
    /// Computing time of its share of all steps, nanoseconds.
    pub engine_ns: u64,
    /// Memory of its keys and values, KiB.
    pub resident_kib: u64,
}

impl Facts {
    /// Of the text of a file; None when it is of another device.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = text
                .lines()
                .filter_map(|line| line.strip_prefix("sislm-")?.split_once(":\t"));
            lines
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value)
        };
        let number = |name| {
            value(name)
                // A unit may follow.
                .and_then(|value| value.split(' ').next()?.parse().ok())
                .unwrap_or(0)
        };
        Some(Self {
            state: value("state")?.into(),
            model: value("model").map(str::to_owned),
            context: number("context"),
            positions: number("positions"),
            kv_blocks: number("kv-blocks"),
            prompt_tokens: number("prompt-tokens"),
            tokens: number("tokens"),
            prefill_ns: number("prefill-ns"),
            decode_ns: number("decode-ns"),
            engine_ns: number("engine-cpu"),
            resident_kib: number("resident-kv"),
        })
    }

    /// Whether it is more than an open file: one that has got neither a model nor a prompt is no session yet.
    pub(crate) fn is_session(&self) -> bool {
        self.state != "idle" || self.model.is_some()
    }

    /// Tokens per second of the last turn that ended; None where it took no time.
    pub(crate) fn tokens_per_second(&self) -> Option<f64> {
        (self.decode_ns > 0).then(|| self.tokens as f64 * 1e9 / self.decode_ns as f64)
    }

    /// Under the names that they have there.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "state": self.state,
            "model": self.model,
            "context": self.context,
            "positions": self.positions,
            "kv_blocks": self.kv_blocks,
            "prompt_tokens": self.prompt_tokens,
            "tokens": self.tokens,
            "prefill_ns": self.prefill_ns,
            "decode_ns": self.decode_ns,
            "engine_cpu_ns": self.engine_ns,
            "resident_kv_bytes": self.resident_kib.saturating_mul(1024),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_those_of_the_device() {
        let text = "pos:\t0\nflags:\t02\nmnt_id:\t23\nino:\t7\nsislm-state:\tidle\nsislm-model:\ttiny\n\
            sislm-context:\t256\nsislm-positions:\t40\nsislm-kv-blocks:\t2\nsislm-prompt-tokens:\t30\n\
            sislm-tokens:\t10\nsislm-prefill-ns:\t5\nsislm-decode-ns:\t2000000000\nsislm-engine-cpu:\t77 ns\nsislm-resident-kv:\t64 KiB\n";
        let facts = Facts::parse(text).unwrap();
        assert_eq!(facts.model.as_deref(), Some("tiny"));
        assert_eq!(
            (facts.context, facts.positions, facts.kv_blocks),
            (256, 40, 2)
        );
        assert_eq!(facts.tokens_per_second(), Some(5.0));
        assert_eq!((facts.engine_ns, facts.resident_kib), (77, 64));
    }

    #[test]
    fn a_busy_session_says_only_that() {
        let facts = Facts::parse("pos:\t0\nsislm-state:\tbusy\n").unwrap();
        let wanted = Facts {
            state: "busy".into(),
            ..Default::default()
        };
        assert_eq!(facts, wanted);
        assert_eq!(facts.tokens_per_second(), None);
        assert!(facts.is_session());
    }

    #[test]
    fn other_files_have_none() {
        assert_eq!(Facts::parse("pos:\t0\nflags:\t02\n"), None);
        let opened = Facts::parse("sislm-state:\tidle\nsislm-tokens:\t0\n");
        assert!(!opened.unwrap().is_session());
    }
}
