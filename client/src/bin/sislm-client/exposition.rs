// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the module counts, as Prometheus reads it: each number of each model, and some of the device.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use sislm::{Finish, Histogram, Metrics};

use crate::counts::{
    Counts, Kind, ANSWERS, COMPUTING, DEVICE, FINISHES, HISTOGRAMS, NUMBERS, SECOND, SECTION,
};

type Labels = Vec<(&'static str, String)>;

impl Counts {
    /// The text of all.
    pub(crate) fn text(self) -> String {
        let mut registry = Registry::with_prefix("sislm");
        registry.register_collector(Box::new(self));
        let mut text = String::new();
        // A string takes all that is written to it.
        let _ = encode(&mut text, &registry);
        text
    }

    /// A number of each model, under the model's name.
    fn of_models(
        &self,
        to: &mut MetricEncoder<'_>,
        mut one: impl FnMut(&mut MetricEncoder<'_>, &Metrics) -> fmt::Result,
    ) -> fmt::Result {
        for (name, metrics) in &self.models {
            let labels: Labels = vec![("model", name.clone())];
            one(&mut to.encode_family(&labels)?, metrics)?;
        }
        Ok(())
    }

    /// Answers that are over, by why they ended.
    fn answers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ANSWERS;
        let mut to = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (model, metrics) in &self.models {
            for (finish, count) in FINISHES.zip(metrics.answers.iter().skip(1)) {
                let reason = Finish::from(finish).to_string();
                let labels: Labels = vec![("model", model.clone()), ("finish_reason", reason)];
                if *count > 0 {
                    number(&mut to.encode_family(&labels)?, Kind::Counter, *count)?;
                }
            }
        }
        Ok(())
    }

    /// Computing time, in seconds.
    fn computing(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = COMPUTING;
        let mut to = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        self.of_models(&mut to, |to, metrics| {
            to.encode_counter::<NoLabelSet, _, u64>(&seconds(metrics.cpu_ns), None)
        })
    }
}

impl Collector for Counts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (name, help, kind, value) in DEVICE {
            let mut to = encoder.encode_descriptor(name, help, None, kind.into())?;
            number(&mut to, kind, value(&self.all))?;
        }
        let (name, help, one, values) = SECTION;
        let mut to = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        histogram(&mut to, values(&self.all), one)?;
        self.answers(&mut encoder)?;
        self.computing(&mut encoder)?;
        for (name, help, kind, value) in NUMBERS {
            let mut to = encoder.encode_descriptor(name, help, None, kind.into())?;
            self.of_models(&mut to, |to, metrics| number(to, kind, value(metrics)))?;
        }
        for (name, help, one, values) in HISTOGRAMS {
            let mut to = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            self.of_models(&mut to, |to, metrics| histogram(to, values(metrics), one))?;
        }
        Ok(())
    }
}

impl From<Kind> for MetricType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Self::Counter,
            Kind::Gauge => Self::Gauge,
        }
    }
}

fn number(to: &mut MetricEncoder<'_>, kind: Kind, value: u64) -> fmt::Result {
    match kind {
        Kind::Counter => to.encode_counter::<NoLabelSet, _, u64>(&value, None),
        Kind::Gauge => to.encode_gauge(&value),
    }
}

/// `one` is what a second, or one of the unit, is in the module's counts.
fn histogram(to: &mut MetricEncoder<'_>, values: &Histogram, one: f64) -> fmt::Result {
    let bounds = values.bounds().iter().map(|bound| *bound as f64 / one);
    // The last bucket has no bound.
    let bounds = bounds.chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(values.counts().iter().copied()).collect();
    to.encode_histogram::<NoLabelSet>(values.sum as f64 / one, values.count(), &buckets, None)
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_what_the_module_counts() {
        let text = Counts::testing().text();
        for line in [
            "sislm_device_sessions 3",
            r#"sislm_answers_total{model="tiny",finish_reason="stop"} 4"#,
            r#"sislm_answer_tokens_total{model="tiny"} 7"#,
            r#"sislm_engine_cpu_seconds_total{model="tiny"} 1.5"#,
            r#"sislm_turns_active{model="tiny"} 2"#,
            r#"sislm_time_to_first_token_seconds_sum{model="tiny"} 0.03"#,
            r#"sislm_time_to_first_token_seconds_count{model="tiny"} 6"#,
            r#"sislm_time_to_first_token_seconds_bucket{le="0.001",model="tiny"} 1"#,
            r#"sislm_time_to_first_token_seconds_bucket{le="0.005",model="tiny"} 3"#,
            r#"sislm_time_to_first_token_seconds_bucket{le="+Inf",model="tiny"} 6"#,
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
