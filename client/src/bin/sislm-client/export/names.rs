// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the numbers of the module are called in OpenTelemetry.
//!
//! Some have names in the semantic conventions for generative AI (semantic-conventions-genai 0.1.0, where all of them are in
//! development): the table here, and the attributes below it. All others are called as Prometheus is told, under `sislm.`, with the
//! unit in its own place; a collector that makes Prometheus' names of them gets those of `sislm-client metrics`.

/// The operation that turns are.
pub(super) const OPERATION: (&str, &str) = ("gen_ai.operation.name", "text_completion");
/// Who answers.
pub(super) const PROVIDER: (&str, &str) = ("gen_ai.provider.name", "sislm");
/// The model, as it was asked for and as it answered.
pub(super) const MODEL: [&str; 2] = ["gen_ai.request.model", "gen_ai.response.model"];
/// The model of a number that the conventions do not know.
pub(super) const OWN_MODEL: &str = "sislm.model";
/// Why an answer ended.
pub(super) const FINISH: &str = "sislm.finish_reason";

/// A histogram of the module as the conventions have it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Convention {
    /// The name in the module.
    of: &'static str,
    /// The name in the conventions.
    pub name: &'static str,
    /// The unit there.
    pub unit: &'static str,
    /// What kind of tokens are meant: the attribute and its value.
    pub kind: Option<(&'static str, &'static str)>,
}

/// The table.
const CONVENTIONS: [Convention; 5] = [
    times(
        "time_to_first_token_seconds",
        "gen_ai.server.time_to_first_token",
    ),
    times(
        "time_per_output_token_seconds",
        "gen_ai.server.time_per_output_token",
    ),
    times("request_duration_seconds", "gen_ai.server.request.duration"),
    tokens("request_prompt_tokens", "input"),
    tokens("request_answer_tokens", "output"),
];

const fn times(of: &'static str, name: &'static str) -> Convention {
    Convention {
        of,
        name,
        unit: "s",
        kind: None,
    }
}

const fn tokens(of: &'static str, kind: &'static str) -> Convention {
    Convention {
        of,
        name: "gen_ai.client.token.usage",
        unit: "{token}",
        kind: Some(("gen_ai.token.type", kind)),
    }
}

/// How the conventions have the histogram that the module calls `name`.
pub(super) fn convention(name: &str) -> Option<&'static Convention> {
    CONVENTIONS.iter().find(|convention| convention.of == name)
}

/// The name and the unit of any other number.
pub(super) fn own(name: &str) -> (String, &'static str) {
    for (ending, unit) in [("_seconds", "s"), ("_bytes", "By")] {
        if let Some(name) = name.strip_suffix(ending) {
            return (format!("sislm.{name}"), unit);
        }
    }
    (format!("sislm.{name}"), "1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::HISTOGRAMS;

    #[test]
    fn each_convention_is_of_a_histogram() {
        for convention in &CONVENTIONS {
            let found = HISTOGRAMS.iter().any(|row| row.0 == convention.of);
            assert!(found, "{}", convention.of);
        }
    }

    #[test]
    fn the_unit_is_no_part_of_a_name() {
        assert_eq!(own("kv_bytes"), ("sislm.kv".into(), "By"));
        assert_eq!(own("engine_cpu_seconds"), ("sislm.engine_cpu".into(), "s"));
        assert_eq!(own("steps"), ("sislm.steps".into(), "1"));
        assert_eq!(convention("steps"), None);
    }
}
