// SPDX-License-Identifier: MIT OR Apache-2.0
//! A part and what it came to.

use serde_json::{json, Value};

use super::part::{Part, Sample};
use crate::bench::row::mean_and_deviation;

/// What a part took.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The part.
    pub part: Part,
    /// Each measured iteration.
    pub samples: Vec<Sample>,
}

impl Line {
    /// Mean and standard deviation, nanoseconds or a fraction.
    pub(crate) fn value(&self) -> (f64, f64) {
        let values: Vec<f64> = self.samples.iter().map(|sample| sample.value).collect();
        mean_and_deviation(&values)
    }

    /// The median of the instructions of an iteration: what else ran is in some of them, or in what is taken off.
    pub(crate) fn instructions(&self) -> Option<f64> {
        let counts = self.samples.iter().map(|sample| sample.instructions);
        let mut counts = counts.collect::<Option<Vec<f64>>>()?;
        counts.sort_by(f64::total_cmp);
        counts.get(counts.len() / 2).copied()
    }

    /// Whether it is as the table wants it.
    pub(crate) fn is_met(&self) -> bool {
        let (value, _) = self.value();
        if self.part.is_rate() {
            value > self.part.target()
        } else {
            value < self.part.target()
        }
    }

    /// The target, as a person reads it.
    pub(crate) fn target_text(&self) -> String {
        let (sign, target) = (
            if self.part.is_rate() { '>' } else { '<' },
            self.part.target(),
        );
        format!("{sign} {}", text(self.part, target))
    }

    /// What was measured, with its deviation.
    pub(crate) fn value_text(&self) -> String {
        let (value, deviation) = self.value();
        format!(
            "{} ± {}",
            text(self.part, value),
            text(self.part, deviation)
        )
    }

    /// For scripts.
    pub(crate) fn to_json(&self) -> Value {
        let (value, deviation) = self.value();
        json!({
            "part": self.part.name(),
            "unit": if self.part.is_rate() { "fraction" } else { "ns" },
            "target": self.part.target(),
            "measured": value,
            "stddev": deviation,
            "met": self.is_met(),
            "instructions": self.instructions(),
            "samples": self.samples.iter().map(|sample| sample.value).collect::<Vec<_>>(),
        })
    }
}

/// A time in a unit that suits it, or a fraction in percent.
fn text(part: Part, value: f64) -> String {
    match value {
        _ if part.is_rate() => format!("{:.1} %", value * 100.0),
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(part: Part, values: &[(f64, Option<f64>)]) -> Line {
        let sample = |&(value, instructions)| Sample {
            value,
            instructions,
        };
        Line {
            part,
            samples: values.iter().map(sample).collect(),
        }
    }

    #[test]
    fn times_are_to_be_below_their_target() {
        let counts = [Some(90.0), Some(-5000.0), Some(80.0)];
        let values = [400.0, 500.0, 600.0];
        let fast = line(Part::Dot, &[0, 1, 2].map(|at| (values[at], counts[at])));
        assert_eq!((fast.is_met(), fast.instructions()), (true, Some(80.0)));
        assert_eq!(fast.target_text(), "< 1.00 us");
        assert_eq!(fast.value_text(), "500 ns ± 100 ns");
        let slow = line(Part::Dot, &[(1000.0, None)]);
        assert_eq!((slow.is_met(), slow.instructions()), (false, None));
    }

    #[test]
    fn rates_are_to_be_above_it() {
        let good = line(Part::KvHits, &[(0.95, None)]);
        assert!(good.is_met());
        assert_eq!(
            (good.target_text().as_str(), good.value_text().as_str()),
            ("> 90.0 %", "95.0 % ± 0.0 %")
        );
        assert!(!line(Part::KvHits, &[(0.9, None)]).is_met());
        let object = good.to_json();
        assert_eq!(
            (&object["unit"], &object["met"]),
            (&json!("fraction"), &json!(true))
        );
        assert_eq!(object["instructions"], Value::Null);
    }
}
