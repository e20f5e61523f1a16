// SPDX-License-Identifier: MIT OR Apache-2.0
//! A sample as lines of text.

use indicatif::DecimalBytes;

use super::holder::Holder;
use super::sample::Sample;

/// Two lines of sums, then a line for each session under a head; those that compute first.
pub(crate) fn lines(sample: &Sample, before: Option<&Sample>) -> Vec<String> {
    let all = &sample.statistics;
    let rates = before.and_then(|before| sample.rates_since(before));
    let rates = rates.map_or(String::new(), |rates| {
        let (answers, prompts) = (rates.answers, rates.prompts);
        format!("; {answers:.1} tokens/s, {prompts:.1} of prompts")
    });
    let mut lines = vec![
        format!(
            "sessions: {}, running {}, pending {}; turns: {}, cancelled {}{rates}",
            sample.holders.len(),
            sample.count("running"),
            sample.count("pending"),
            all.turns,
            all.cancelled,
        ),
        format!(
            "keys and values: {} in {} blocks; models {}, steps {}, sessions {}",
            DecimalBytes(all.kv_bytes),
            all.kv_blocks,
            DecimalBytes(all.memory_models),
            DecimalBytes(all.memory_steps),
            DecimalBytes(all.memory_sessions),
        ),
        format!(
            "{:>7} {:>6} {:<8} {:>11} {:>9} {:>7} {:>7} {:>7} {:>8}  {:<20} COMMAND",
            "PID",
            "UID",
            "STATE",
            "CONTEXT",
            "KV",
            "CPU/S",
            "PROMPT",
            "TOKENS",
            "TOKENS/S",
            "MODEL"
        ),
    ];
    let mut holders: Vec<&Holder> = sample.holders.iter().collect();
    let idle = |holder: &&Holder| holder.facts.state == "idle";
    holders.sort_by_key(idle);
    lines.extend(holders.into_iter().map(line));
    lines
}

fn line(holder: &Holder) -> String {
    let facts = &holder.facts;
    let context = match facts.context {
        0 => "-".into(),
        context => format!("{}/{context}", facts.positions),
    };
    let rate = facts.tokens_per_second();
    let rate = rate.map_or("-".into(), |rate| format!("{rate:.1}"));
    format!(
        "{:>7} {:>6} {:<8} {context:>11} {:>9} {:>7.1} {:>7} {:>7} {rate:>8}  {:<20} {}",
        holder.file.process,
        holder.user,
        facts.state,
        DecimalBytes(facts.resident_kib.saturating_mul(1024)).to_string(),
        facts.engine_ns as f64 / 1e9,
        facts.prompt_tokens,
        facts.tokens,
        facts.model.as_deref().unwrap_or("-"),
        holder.command,
    )
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sislm::{OpenFile, Statistics};

    use super::super::facts::Facts;
    use super::*;

    #[test]
    fn sessions_that_compute_come_first() {
        let holder = |process, state: &str| Holder {
            file: OpenFile {
                process,
                descriptor: 3,
            },
            user: 1000,
            command: "client".into(),
            facts: Facts {
                state: state.into(),
                ..Default::default()
            },
        };
        let sample = Sample {
            time: Instant::now(),
            statistics: Statistics::default(),
            holders: vec![holder(1, "idle"), holder(2, "running"), holder(3, "busy")],
        };
        let lines = lines(&sample, None);
        assert!(lines[0].starts_with("sessions: 3, running 1, pending 0;"));
        let processes: Vec<&str> = lines[3..]
            .iter()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(processes, ["2", "3", "1"]);
    }
}
