// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the module counts as a request of the OpenTelemetry protocol.
//!
//! The bounds and counts are the module's own, so nothing is put into other buckets. All is cumulative, from the load of the module or of
//! the model on: whoever misses a request has everything by the next one.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{any_value, AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    metric, number_data_point::Value, AggregationTemporality, Gauge, Histogram, HistogramDataPoint,
    Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use sislm::{Finish, Metrics};

use super::names;
use crate::counts::{
    Counts, Kind, Number, ANSWERS, COMPUTING, DEVICE, FINISHES, HISTOGRAMS, NUMBERS, SECOND,
    SECTION,
};

/// The request that tells `counts`, as they were at `now`, nanoseconds since 1970, on the machine named `host`.
pub(crate) fn request(counts: &Counts, host: &str, now: u64) -> ExportMetricsServiceRequest {
    let of = Of { counts, now };
    let mut metrics: Vec<Metric> = DEVICE.iter().map(|row| of.device(row)).collect();
    let (name, help, one, values) = SECTION;
    let section = point(
        values(&counts.all),
        one,
        Vec::new(),
        counts.all.since_ns,
        now,
    );
    let (name, unit) = names::own(name);
    metrics.push(histogram(name, help, unit, vec![section]));
    metrics.extend([of.answers(), of.computing()]);
    metrics.extend(NUMBERS.iter().map(|row| of.number(row)));
    metrics.extend(of.histograms());
    let scope = InstrumentationScope {
        name: env!("CARGO_BIN_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        ..Default::default()
    };
    let resource = Resource {
        attributes: vec![text("service.name", "sislm"), text("host.name", host)],
        ..Default::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope),
                metrics,
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
}

/// Numbers at a time.
struct Of<'a> {
    counts: &'a Counts,
    now: u64,
}

impl Of<'_> {
    /// A number of the device.
    fn device(&self, row: &Number) -> Metric {
        let (name, help, kind, value) = row;
        let all = &self.counts.all;
        let point = self.point(all, Vec::new(), int(value(all)));
        plain(name, help, *kind, vec![point])
    }

    /// A number of each model.
    fn number(&self, row: &Number) -> Metric {
        let (name, help, kind, value) = row;
        let points = self.counts.models.iter().map(|(model, metrics)| {
            self.point(
                metrics,
                vec![text(names::OWN_MODEL, model)],
                int(value(metrics)),
            )
        });
        plain(name, help, *kind, points.collect())
    }

    /// Answers that are over, by model and by why they ended.
    fn answers(&self) -> Metric {
        let mut points = Vec::new();
        for (model, metrics) in &self.counts.models {
            for (finish, count) in FINISHES.zip(metrics.answers.iter().skip(1)) {
                let reason = Finish::from(finish).to_string();
                let labels = vec![text(names::OWN_MODEL, model), text(names::FINISH, &reason)];
                if *count > 0 {
                    points.push(self.point(metrics, labels, int(*count)));
                }
            }
        }
        plain(ANSWERS.0, ANSWERS.1, Kind::Counter, points)
    }

    /// Computing time of each model.
    fn computing(&self) -> Metric {
        let points = self.counts.models.iter().map(|(model, metrics)| {
            let value = Value::AsDouble(metrics.cpu_ns as f64 / SECOND);
            self.point(metrics, vec![text(names::OWN_MODEL, model)], value)
        });
        plain(COMPUTING.0, COMPUTING.1, Kind::Counter, points.collect())
    }

    /// The histograms of each model; those with one name are one metric.
    fn histograms(&self) -> Vec<Metric> {
        let mut metrics: Vec<Metric> = Vec::new();
        for (name, help, one, values) in HISTOGRAMS {
            let convention = names::convention(name);
            let points = self.counts.models.iter().map(|(model, metrics)| {
                let labels = match convention {
                    Some(convention) => conventional(model, convention.kind),
                    None => vec![text(names::OWN_MODEL, model)],
                };
                point(values(metrics), one, labels, metrics.since_ns, self.now)
            });
            let points: Vec<_> = points.collect();
            let (name, unit) = match convention {
                Some(convention) => (convention.name.to_owned(), convention.unit),
                None => names::own(name),
            };
            match metrics.iter_mut().find(|metric| metric.name == name) {
                Some(Metric {
                    data: Some(metric::Data::Histogram(there)),
                    ..
                }) => there.data_points.extend(points),
                _ => metrics.push(histogram(name, help, unit, points)),
            }
        }
        metrics
    }

    fn point(&self, of: &Metrics, attributes: Vec<KeyValue>, value: Value) -> NumberDataPoint {
        NumberDataPoint {
            attributes,
            start_time_unix_nano: of.since_ns,
            time_unix_nano: self.now,
            value: Some(value),
            ..Default::default()
        }
    }
}

/// Attributes that the conventions ask for.
fn conventional(model: &str, kind: Option<(&str, &str)>) -> Vec<KeyValue> {
    let fixed = [names::OPERATION, names::PROVIDER].into_iter().chain(kind);
    let models = names::MODEL.map(|name| (name, model));
    fixed
        .chain(models)
        .map(|(key, value)| text(key, value))
        .collect()
}

/// A metric with a number at each point.
fn plain(name: &str, help: &str, kind: Kind, data_points: Vec<NumberDataPoint>) -> Metric {
    let (name, unit) = names::own(name);
    let data = match kind {
        Kind::Counter => metric::Data::Sum(Sum {
            data_points,
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        }),
        Kind::Gauge => metric::Data::Gauge(Gauge { data_points }),
    };
    of(name, help, unit, data)
}

fn histogram(name: String, help: &str, unit: &str, data_points: Vec<HistogramDataPoint>) -> Metric {
    let data = metric::Data::Histogram(Histogram {
        data_points,
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
    });
    of(name, help, unit, data)
}

fn of(name: String, help: &str, unit: &str, data: metric::Data) -> Metric {
    Metric {
        name,
        description: help.into(),
        unit: unit.into(),
        data: Some(data),
        ..Default::default()
    }
}

/// `one` is what a second, or one of the unit, is in the module's counts.
fn point(
    values: &sislm::Histogram,
    one: f64,
    attributes: Vec<KeyValue>,
    since: u64,
    now: u64,
) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes,
        start_time_unix_nano: since,
        time_unix_nano: now,
        count: values.count(),
        sum: Some(values.sum as f64 / one),
        bucket_counts: values.counts().to_vec(),
        explicit_bounds: values
            .bounds()
            .iter()
            .map(|bound| *bound as f64 / one)
            .collect(),
        ..Default::default()
    }
}

fn int(value: u64) -> Value {
    Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX))
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(value.into())),
        }),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    /// The metrics of the request, as a collector decodes them.
    fn decoded() -> Vec<Metric> {
        let bytes = request(&Counts::testing(), "here", 9).encode_to_vec();
        let mut request = ExportMetricsServiceRequest::decode(&bytes[..]).unwrap();
        request
            .resource_metrics
            .remove(0)
            .scope_metrics
            .remove(0)
            .metrics
    }

    fn named(name: &str) -> metric::Data {
        let mut found: Vec<Metric> = decoded();
        found.retain(|metric| metric.name == name);
        assert_eq!(found.len(), 1, "{name}");
        found.remove(0).data.unwrap()
    }

    #[test]
    fn a_histogram_has_the_bounds_and_counts_of_the_module() {
        let metric::Data::Histogram(found) = named("gen_ai.server.time_to_first_token") else {
            panic!("no histogram");
        };
        assert_eq!(found.aggregation_temporality, 2);
        let point = &found.data_points[0];
        assert_eq!(point.explicit_bounds, [0.001, 0.005]);
        assert_eq!((&point.bucket_counts[..], point.count), (&[1, 2, 3][..], 6));
        assert_eq!(point.sum, Some(0.03));
        assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (5, 9));
        let keys: Vec<&str> = point.attributes.iter().map(|pair| &pair.key[..]).collect();
        let wanted = [
            "operation.name",
            "provider.name",
            "request.model",
            "response.model",
        ];
        assert_eq!(keys, wanted.map(|key| format!("gen_ai.{key}")));
    }

    #[test]
    fn tokens_of_prompts_and_answers_are_one_metric() {
        let metric::Data::Histogram(found) = named("gen_ai.client.token.usage") else {
            panic!("no histogram");
        };
        let kinds = found
            .data_points
            .iter()
            .map(|point| point.attributes[2].clone());
        let wanted = ["input", "output"].map(|kind| text("gen_ai.token.type", kind));
        assert_eq!(kinds.collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn counters_grow_from_the_load_on_and_gauges_do_not() {
        let metric::Data::Sum(tokens) = named("sislm.answer_tokens") else {
            panic!("no counter");
        };
        assert!(tokens.is_monotonic);
        assert_eq!(tokens.aggregation_temporality, 2);
        let point = &tokens.data_points[0];
        assert_eq!(
            (point.value, point.start_time_unix_nano),
            (Some(Value::AsInt(7)), 5)
        );
        let metric::Data::Gauge(sessions) = named("sislm.device_sessions") else {
            panic!("no gauge");
        };
        assert_eq!(sessions.data_points[0].value, Some(Value::AsInt(3)));
        let metric::Data::Sum(time) = named("sislm.engine_cpu") else {
            panic!("no counter");
        };
        assert_eq!(time.data_points[0].value, Some(Value::AsDouble(1.5)));
    }

    #[test]
    fn each_name_is_there_once() {
        let mut names: Vec<String> = decoded().into_iter().map(|metric| metric.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names
            .iter()
            .all(|name| name.starts_with("sislm.") || name.starts_with("gen_ai.")));
    }
}
