// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is counted, as Prometheus reads it.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{exponential_buckets, Histogram};
use prometheus_client::registry::{Metric, Registry, Unit};

type Labels = Vec<(&'static str, String)>;

/// Counters, gauges and times of the server.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    prompt_tokens: Counter,
    cached_tokens: Counter,
    answer_tokens: Counter,
    hang_ups: Counter,
    first_token: Histogram,
    running: Gauge,
    waiting: Gauge,
    idle: Gauge,
    kv_bytes: Gauge,
}

/// The metrics as they are made, one a row.
struct Table(Registry);

impl Table {
    /// A number.
    fn row<M: Metric + Clone + Default>(&mut self, name: &str, help: &str) -> M {
        let metric = M::default();
        self.0.register(name, help, metric.clone());
        metric
    }

    /// What has a unit.
    fn measure<M: Metric + Clone>(&mut self, name: &str, help: &str, unit: Unit, metric: M) -> M {
        self.0.register_with_unit(name, help, unit, metric.clone());
        metric
    }
}

/// What is as it is when somebody looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Present {
    /// Requests being answered.
    pub running: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Sessions kept for their contexts.
    pub idle: usize,
    /// Memory of keys and values of the server's user.
    pub kv_bytes: u64,
}

impl Metrics {
    /// All zero.
    pub(super) fn new() -> Self {
        let mut table = Table(Registry::with_prefix("sislm"));
        let time = Histogram::new(exponential_buckets(0.01, 2.0, 14));
        Self {
            requests: table.row("requests", "Requests by endpoint and status"),
            prompt_tokens: table.row("prompt_tokens", "Tokens of prompts"),
            cached_tokens: table.row("cached_tokens", "Tokens of prompts that a context held"),
            answer_tokens: table.row("answer_tokens", "Tokens of answers"),
            hang_ups: table.row("hang_ups", "Requests whose client went away"),
            first_token: table.measure(
                "first_token",
                "Time from a request to the first text of its answer",
                Unit::Seconds,
                time,
            ),
            running: table.row("requests_running", "Requests being answered"),
            waiting: table.row("requests_waiting", "Requests that wait for a turn"),
            idle: table.row("sessions_idle", "Sessions kept for their contexts"),
            kv_bytes: table.measure(
                "kv",
                "Memory of keys and values of the server's user",
                Unit::Bytes,
                Gauge::default(),
            ),
            registry: table.0,
        }
    }

    /// Counts an answered request.
    pub(super) fn count_request(&self, endpoint: &str, status: u16) {
        let labels = vec![
            ("endpoint", endpoint.to_owned()),
            ("status", status.to_string()),
        ];
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts the tokens of a turn.
    pub(super) fn count_tokens(&self, prompt: u64, cached: u64, answer: u64) {
        self.prompt_tokens.inc_by(prompt);
        self.cached_tokens.inc_by(cached);
        self.answer_tokens.inc_by(answer);
    }

    /// Counts a client that went away.
    pub(super) fn count_hang_up(&self) {
        self.hang_ups.inc();
    }

    /// Notes how long the first text took.
    pub(super) fn observe_first_token(&self, time: Duration) {
        self.first_token.observe(time.as_secs_f64());
    }

    /// The text of all.
    pub(super) fn text(&self, present: Present) -> String {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.running.set(number(present.running));
        self.waiting.set(number(present.waiting));
        self.idle.set(number(present.idle));
        self.kv_bytes
            .set(i64::try_from(present.kv_bytes).unwrap_or(i64::MAX));
        let mut text = String::new();
        // A string takes all that is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_what_was_counted() {
        let metrics = Metrics::new();
        metrics.count_request("/v1/models", 200);
        metrics.count_tokens(5, 3, 2);
        metrics.observe_first_token(Duration::from_millis(15));
        let text = metrics.text(Present {
            running: 1,
            waiting: 2,
            idle: 3,
            kv_bytes: 4,
        });
        for line in [
            r#"sislm_requests_total{endpoint="/v1/models",status="200"} 1"#,
            "sislm_prompt_tokens_total 5",
            "sislm_cached_tokens_total 3",
            "sislm_answer_tokens_total 2",
            "sislm_requests_running 1",
            "sislm_requests_waiting 2",
            "sislm_sessions_idle 3",
            "sislm_kv_bytes 4",
            "sislm_first_token_seconds_count 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
