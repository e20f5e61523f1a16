// SPDX-License-Identifier: MIT OR Apache-2.0
//! The device at one moment.

use std::path::Path;
use std::time::Instant;

use serde_json::{json, Value};
use sislm::{Device, Error, OpenFile, Statistics};

use super::holder::{self, Holder};

/// Counters and sessions, and when they were read.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// When.
    pub time: Instant,
    /// Of this user; for an administrator of all.
    pub statistics: Statistics,
    /// Sessions that this user may see.
    pub holders: Vec<Holder>,
}

/// Tokens per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    /// Of answers.
    pub answers: f64,
    /// Of prompts, those that a context held included.
    pub prompts: f64,
}

impl Sample {
    /// Now.
    pub(crate) fn take(device: &Device) -> Result<Self, Error> {
        Ok(Self {
            time: Instant::now(),
            statistics: device.statistics()?,
            holders: holder::all(Path::new("/proc"), OpenFile::order),
        })
    }

    /// Sessions in a state.
    pub(crate) fn count(&self, state: &str) -> usize {
        let facts = self.holders.iter().map(|holder| &holder.facts);
        facts.filter(|facts| facts.state == state).count()
    }

    /// Since `before`; None where no time went by.
    pub(crate) fn rates_since(&self, before: &Self) -> Option<Rates> {
        let seconds = self.time.duration_since(before.time).as_secs_f64();
        // Counters of a user begin again at 0 with the user's first file.
        let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
        let (now, then) = (&self.statistics, &before.statistics);
        (seconds > 0.0).then(|| Rates {
            answers: rate(now.tokens, then.tokens),
            prompts: rate(now.prompt_tokens, then.prompt_tokens),
        })
    }

    /// With the rates since `before`, where there is one.
    pub(crate) fn to_json(&self, before: Option<&Self>) -> Value {
        let rates = before.and_then(|before| self.rates_since(before));
        let sessions = self.holders.iter().map(|holder| {
            let mut object = holder.facts.to_json();
            object["pid"] = json!(holder.file.process);
            object["uid"] = json!(holder.user);
            object["command"] = json!(holder.command);
            object
        });
        json!({
            "running": self.count("running"),
            "pending": self.count("pending"),
            "tokens_per_second": rates.map(|rates| rates.answers),
            "prompt_tokens_per_second": rates.map(|rates| rates.prompts),
            "turns": self.statistics.turns,
            "cancelled": self.statistics.cancelled,
            "kv_blocks": self.statistics.kv_blocks,
            "kv_bytes": self.statistics.kv_bytes,
            "memory_models": self.statistics.memory_models,
            "memory_steps": self.statistics.memory_steps,
            "memory_sessions": self.statistics.memory_sessions,
            "sessions": sessions.collect::<Value>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sample(time: Instant, tokens: u64) -> Sample {
        Sample {
            time,
            statistics: Statistics {
                tokens,
                prompt_tokens: 10 * tokens,
                ..Default::default()
            },
            holders: Vec::new(),
        }
    }

    #[test]
    fn a_rate_is_of_the_time_between() {
        let start = Instant::now();
        let (before, now) = (sample(start, 5), sample(start + Duration::from_secs(2), 8));
        let wanted = Rates {
            answers: 1.5,
            prompts: 15.0,
        };
        assert_eq!(now.rates_since(&before), Some(wanted));
        assert_eq!(now.rates_since(&now), None);
        let again = sample(start + Duration::from_secs(4), 0);
        assert_eq!(again.rates_since(&now).unwrap().answers, 0.0);
    }

    #[test]
    fn the_first_sample_has_no_rate() {
        let first = sample(Instant::now(), 5).to_json(None);
        assert_eq!(first["tokens_per_second"], Value::Null);
        assert_eq!(first["sessions"], json!([]));
    }
}
