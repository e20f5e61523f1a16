// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the module counts: each number of each model, and some of the device, with their names and what they say.

use std::ops::RangeInclusive;

use anyhow::Context;
use sislm::{Device, Histogram, Metrics};

/// Nanoseconds of a second.
pub(crate) const SECOND: f64 = 1e9;
/// Finish reasons of turns that are over.
pub(crate) const FINISHES: RangeInclusive<u32> = 1..=15;

/// Numbers of METRICS.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Of all models and the device.
    pub all: Metrics,
    /// Of each version that is loaded, by its name.
    pub models: Vec<(String, Metrics)>,
}

/// How a number is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It is as it is now.
    Gauge,
}

/// Name, help, kind and value of a number.
pub(crate) type Number = (&'static str, &'static str, Kind, fn(&Metrics) -> u64);

/// Name, help, what one is, and values of a histogram.
pub(crate) type Times = (&'static str, &'static str, f64, fn(&Metrics) -> &Histogram);

/// Of each model. The name says the unit, as Prometheus wants it.
pub(crate) const NUMBERS: [Number; 9] = [
    (
        "evaluations",
        "EVALUATE calls that are over",
        Kind::Counter,
        |m| m.evaluations,
    ),
    (
        "prompt_tokens",
        "Tokens of prompts of turns that are over",
        Kind::Counter,
        |m| m.prompt_tokens,
    ),
    (
        "cached_tokens",
        "Positions that contexts kept from earlier turns",
        Kind::Counter,
        |m| m.reused,
    ),
    (
        "answer_tokens",
        "Tokens of answers that are over",
        Kind::Counter,
        |m| m.tokens,
    ),
    ("steps", "Forward passes", Kind::Counter, |m| m.steps),
    (
        "turns_active",
        "Turns that wait or are computed",
        Kind::Gauge,
        |m| m.active,
    ),
    (
        "sessions",
        "Open files with a context on the model",
        Kind::Gauge,
        |m| m.sessions.into(),
    ),
    ("kv_bytes", "Memory of keys and values", Kind::Gauge, |m| {
        m.kv_bytes
    }),
    ("model_bytes", "Memory of the model", Kind::Gauge, |m| {
        m.model_bytes
    }),
];

/// Of the device.
pub(crate) const DEVICE: [Number; 6] = [
    ("device_sessions", "Open files", Kind::Gauge, |m| {
        m.sessions.into()
    }),
    (
        "device_sessions_limit",
        "Most open files",
        Kind::Gauge,
        |m| m.sessions_max.into(),
    ),
    ("device_models", "Loaded models", Kind::Gauge, |m| {
        m.models.into()
    }),
    (
        "device_kv_bytes",
        "Memory of all keys and values",
        Kind::Gauge,
        |m| m.kv_bytes,
    ),
    (
        "device_kv_limit_bytes",
        "Most memory of all keys and values",
        Kind::Gauge,
        |m| m.kv_max,
    ),
    (
        "device_records",
        "Decision records made",
        Kind::Counter,
        |m| m.records,
    ),
];

/// Of each model.
pub(crate) const HISTOGRAMS: [Times; 8] = [
    (
        "time_to_first_token_seconds",
        "From the start of a turn to its first token",
        SECOND,
        |m| &m.first_token,
    ),
    (
        "time_per_output_token_seconds",
        "Of each token after the first",
        SECOND,
        |m| &m.token,
    ),
    (
        "request_duration_seconds",
        "Of turns, waits for their readers excluded",
        SECOND,
        |m| &m.request,
    ),
    (
        "queue_duration_seconds",
        "From the start of a turn to its first step",
        SECOND,
        |m| &m.queue,
    ),
    ("request_prompt_tokens", "Tokens of a prompt", 1.0, |m| {
        &m.prompt
    }),
    ("request_answer_tokens", "Tokens of an answer", 1.0, |m| {
        &m.answer
    }),
    ("step_rows", "Rows of a step", 1.0, |m| &m.rows),
    ("step_turns", "Turns of a step", 1.0, |m| &m.turns),
];

/// Of the device.
pub(crate) const SECTION: Times = (
    "section_bytes",
    "Weights read in one NEON section",
    1.0,
    |m| &m.section,
);

/// Name and help of answers that are over, by why they ended.
pub(crate) const ANSWERS: (&str, &str) = ("answers", "Answers that are over");

/// Name and help of the computing time, in seconds.
pub(crate) const COMPUTING: (&str, &str) = (
    "engine_cpu_seconds",
    "Computing time of steps, by all who compute",
);

impl Counts {
    /// What `device` has counted.
    ///
    /// # Errors
    ///
    /// Those of METRICS: it is for CAP_SYS_ADMIN.
    pub(crate) fn take(device: &Device) -> anyhow::Result<Self> {
        let all = device.metrics(None)?.context("no metrics")?;
        let mut models = Vec::new();
        for model in device.models()? {
            let name = model.full_name().parse().map_err(anyhow::Error::msg)?;
            // None: it was unloaded meanwhile.
            if let Some(metrics) = device.metrics(Some(&name))? {
                models.push((model.full_name(), metrics));
            }
        }
        Ok(Self { all, models })
    }
}

#[cfg(test)]
impl Counts {
    /// Made up: some of a model `tiny`, loaded 5 ns into the epoch.
    pub(crate) fn testing() -> Self {
        let mut metrics = Metrics {
            since_ns: 5,
            tokens: 7,
            cpu_ns: 1_500_000_000,
            active: 2,
            ..Metrics::default()
        };
        metrics.answers[1] = 4;
        metrics.first_token.sum = 30_000_000;
        metrics.first_token.bound_count = 2;
        metrics.first_token.bounds[..2].copy_from_slice(&[1_000_000, 5_000_000]);
        metrics.first_token.buckets[..3].copy_from_slice(&[1, 2, 3]);
        Self {
            all: Metrics {
                since_ns: 2,
                sessions: 3,
                ..Metrics::default()
            },
            models: vec![("tiny".into(), metrics)],
        }
    }
}
