// SPDX-License-Identifier: MIT OR Apache-2.0
//! `stats`: the module's counters.

use std::io::Write;

use serde_json::{json, Value};
use sislm::{Device, Statistics};

use crate::cli::Cli;
use crate::exit_codes::ExitCode;

/// Runs `stats`: one counter per line.
pub(crate) fn run(cli: &Cli, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let object = object(&Device::open(&cli.device)?.statistics()?);
    if cli.json {
        writeln!(out, "{object}")?;
        return Ok(ExitCode::Success);
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        writeln!(out, "{name:<20} {value:>20}")?;
    }
    Ok(ExitCode::Success)
}

/// The counters, under the names they have in `struct sislm_statistics`.
fn object(statistics: &Statistics) -> Value {
    json!({
        "turns": statistics.turns,
        "prompt_tokens": statistics.prompt_tokens,
        "tokens": statistics.tokens,
        "prefill_ns": statistics.prefill_ns,
        "decode_ns": statistics.decode_ns,
        "steps": statistics.steps,
        "sections": statistics.sections,
        "longest_section": statistics.longest_section,
        "kv_blocks": statistics.kv_blocks,
        "kv_bytes": statistics.kv_bytes,
        "positions_computed": statistics.positions_computed,
        "positions_reused": statistics.positions_reused,
        "memory_models": statistics.memory_models,
        "memory_steps": statistics.memory_steps,
        "memory_sessions": statistics.memory_sessions,
        "cancelled": statistics.cancelled,
        "served_ns": statistics.served_ns,
        "longest_step_ns": statistics.longest_step_ns,
        "expired": statistics.expired,
        "paced": statistics.paced,
        "sessions_refused": statistics.sessions_refused,
        "kv_refused": statistics.kv_refused,
        "prompts_refused": statistics.prompts_refused,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_shown() {
        let counters = size_of::<Statistics>() / size_of::<u64>();
        assert_eq!(
            object(&Statistics::default()).as_object().unwrap().len(),
            counters
        );
    }
}
