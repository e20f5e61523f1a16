// SPDX-License-Identifier: MIT OR Apache-2.0
//! `limits`: what a user may have of the device.

use std::io::Write;

use serde_json::{json, Value};
use sislm::Device;

use crate::cli::{Cli, Limits};
use crate::exit_codes::ExitCode;

/// Runs `limits`: changes what is asked for, and prints all.
pub(crate) fn run(cli: &Cli, arguments: &Limits, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let asked = limits(arguments);
    let none = sislm::Limits {
        uid: arguments.uid,
        ..Default::default()
    };
    let object = object(&if object(&asked) == object(&none) {
        device.limits(arguments.uid)?
    } else {
        device.set_limits(&asked)?
    });
    if cli.json {
        writeln!(out, "{object}")?;
        return Ok(ExitCode::Success);
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        let value = match value {
            Value::Null => "no limit".to_owned(),
            value => value.to_string(),
        };
        writeln!(out, "{name:<24} {value:>20}")?;
    }
    Ok(ExitCode::Success)
}

/// What is asked for.
fn limits(arguments: &Limits) -> sislm::Limits {
    sislm::Limits {
        uid: arguments.uid,
        sessions: arguments.sessions.unwrap_or(0),
        kv_bytes: arguments.kv_mb.unwrap_or(0) << 20,
        prompt_bytes: arguments.prompts_kb.unwrap_or(0) << 10,
        namespace_sessions: arguments.namespace_sessions.unwrap_or(0),
        namespace_kv_bytes: arguments.namespace_kv_mb.unwrap_or(0) << 20,
        namespace_prompt_bytes: arguments.namespace_prompts_kb.unwrap_or(0) << 10,
        tokens_per_second: arguments.tokens_per_second.unwrap_or(0),
        deadline_ms: arguments.deadline.unwrap_or(0),
        ..Default::default()
    }
}

/// Under the names of `struct sislm_limits`; null for no limit.
fn object(limits: &sislm::Limits) -> Value {
    let files = |count: u32| (count != u32::MAX).then_some(count);
    let bytes = |count: u64| (count != u64::MAX).then_some(count);
    let rate = |value: u32| (value != 0).then_some(value);
    json!({
        "uid": limits.uid,
        "sessions": files(limits.sessions),
        "namespace_sessions": files(limits.namespace_sessions),
        "kv_bytes": bytes(limits.kv_bytes),
        "namespace_kv_bytes": bytes(limits.namespace_kv_bytes),
        "prompt_bytes": bytes(limits.prompt_bytes),
        "namespace_prompt_bytes": bytes(limits.namespace_prompt_bytes),
        "tokens_per_second": rate(limits.tokens_per_second),
        "deadline_ms": rate(limits.deadline_ms),
        "sessions_used": limits.sessions_used,
        "kv_used": limits.kv_used,
        "prompt_used": limits.prompt_used,
        "served_ns": limits.served_ns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_limit_is_null() {
        let object = object(&sislm::Limits {
            sessions: 3,
            kv_bytes: u64::MAX,
            ..Default::default()
        });
        assert_eq!(object["sessions"], 3);
        assert!(object["kv_bytes"].is_null() && object["deadline_ms"].is_null());
    }
}
