// SPDX-License-Identifier: MIT OR Apache-2.0
//! A test and what it came to.

use serde_json::{json, Value};

use super::test::Test;

/// A test's times.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The test.
    pub test: Test,
    /// Nanoseconds of each repetition.
    pub samples: Vec<u64>,
}

impl Row {
    /// Mean of the tokens per second of the repetitions, and their standard deviation.
    pub(crate) fn tokens_per_second(&self) -> (f64, f64) {
        mean_and_deviation(&self.rates())
    }

    fn rates(&self) -> Vec<f64> {
        let tokens = f64::from(self.test.tokens());
        let rate = |&ns: &u64| tokens * 1e9 / (ns.max(1) as f64);
        self.samples.iter().map(rate).collect()
    }

    /// Under the names that llama-bench has for them.
    pub(crate) fn to_json(&self) -> Value {
        let times: Vec<f64> = self.samples.iter().map(|&ns| ns as f64).collect();
        let (average_ns, deviation_ns) = mean_and_deviation(&times);
        let (average, deviation) = self.tokens_per_second();
        let (prompt, generated) = match self.test {
            Test::Prompt(tokens) => (tokens, 0),
            Test::Generation(tokens) => (0, tokens),
        };
        json!({
            "test": self.test.to_string(),
            "n_prompt": prompt,
            "n_gen": generated,
            "avg_ns": average_ns,
            "stddev_ns": deviation_ns,
            "avg_ts": average,
            "stddev_ts": deviation,
            "samples_ns": self.samples,
            "samples_ts": self.rates(),
        })
    }
}

/// The mean, and the standard deviation of a sample; 0 for what there is too little of.
pub(super) fn mean_and_deviation(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    if numbers.is_empty() {
        return (0.0, 0.0);
    }
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    match numbers.len() {
        1 => (mean, 0.0),
        _ => (mean, (squares / (count - 1.0)).sqrt()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_mean_with_its_deviation() {
        let row = Row {
            test: Test::Generation(100),
            samples: vec![1_000_000_000, 500_000_000, 2_000_000_000],
        };
        let (mean, deviation) = row.tokens_per_second();
        assert!((mean - 350.0 / 3.0).abs() < 1e-9, "{mean}");
        assert!((deviation - 76.376_261).abs() < 1e-5, "{deviation}");
        let object = row.to_json();
        assert_eq!(
            (&object["test"], &object["n_gen"]),
            (&json!("tg100"), &json!(100))
        );
        assert_eq!(object["samples_ts"], json!([100.0, 200.0, 50.0]));
    }

    #[test]
    fn one_repetition_has_no_deviation() {
        assert_eq!(mean_and_deviation(&[3.0]), (3.0, 0.0));
        assert_eq!(mean_and_deviation(&[]), (0.0, 0.0));
    }
}
