// SPDX-License-Identifier: MIT OR Apache-2.0
//! `shadow`: how answers of a name compare with those of another version.

use std::io::Write;

use serde_json::{json, Map, Value};
use sislm::{Device, Estimate, CONCLUSIVE_TOKENS, CONCLUSIVE_TURNS};

use crate::cli::{Cli, Shadow};
use crate::exit_codes::{ExitCode, Failure};

/// Runs `shadow`.
pub(crate) fn run(cli: &Cli, arguments: &Shadow, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let name = arguments.name.as_ref();
    if let (Some(name), Some(version)) = (name, &arguments.on) {
        device.set_shadow(name, Some(version), arguments.permille)?;
    } else if let (Some(name), true) = (name, arguments.off) {
        device.set_shadow(name, None, 0)?;
        return Ok(ExitCode::Success);
    }
    let pairs = device.shadows(name)?;
    if let (Some(name), []) = (name, pairs.as_slice()) {
        let sentence = format!(
            "answers of \"{name}\" are compared with none; sislm-client shadow {name} --on NAME@N begins it"
        );
        return Err(Failure::error(ExitCode::NoModel, sentence));
    }
    for pair in &pairs {
        if cli.json {
            writeln!(out, "{}", object(pair))?;
        } else {
            write!(out, "{}", text(pair))?;
        }
    }
    Ok(ExitCode::Success)
}

/// Why turns are skipped, by its short name.
fn reason(skip: &str) -> &'static str {
    match skip {
        "busy" => "while another was compared",
        "vocabulary" => "since the versions have different tokens",
        "length" => "too long",
        "memory" => "for want of memory",
        _ => "since a version was unloaded, or computing failed",
    }
}

/// A pair as some lines.
fn text(pair: &sislm::Shadow) -> String {
    let version = pair.version();
    let primary = pair.primary();
    let title = primary.as_deref().unwrap_or("no answer yet");
    let mut text = format!(
        "{}: {title}, compared with {version} ({} of 1000 turns)\n",
        pair.alias(),
        pair.permille
    );
    let mut line = |name: &str, value: &str| text += &format!("  {name:<12}{value}\n");
    line(
        "turns",
        &format!(
            "{} compared of {} drawn of {}",
            pair.turns, pair.drawn, pair.ended
        ),
    );
    if let (Some(agreement), Some(primary)) = (pair.agreement(), primary) {
        line("tokens", &pair.tokens.to_string());
        let percent = |part: f64| format!("{:.2} %", part * 100.0);
        line("agreement", &between(agreement, percent));
        if let Some(difference) = pair.difference() {
            line(
                "difference",
                &between(difference, |value| format!("{value:.4}")),
            );
        }
        let each = |ns: u64| ns as f64 / 1e6 / pair.turns as f64;
        let times = (each(pair.primary_ns), each(pair.shadow_ns));
        line(
            "time",
            &format!(
                "{:.1} ms a turn by {primary}, {:.1} ms by {version}",
                times.0, times.1
            ),
        );
    }
    for (skip, count) in pair.skipped() {
        if count != 0 {
            line("skipped", &format!("{count} {}", reason(skip)));
        }
    }
    line("conclusion", &conclusion(pair));
    text
}

fn between(estimate: Estimate, show: impl Fn(f64) -> String) -> String {
    let Estimate { value, low, high } = estimate;
    format!("{} (95 %: {} to {})", show(value), show(low), show(high))
}

/// What follows, in words.
fn conclusion(pair: &sislm::Shadow) -> String {
    if pair.turns == 0 && pair.vocabulary != 0 {
        return "none: token ids of the one mean something else to the other".into();
    }
    let (Some(difference), true) = (pair.difference(), pair.is_conclusive()) else {
        return format!(
            "too little to conclude: {} turns and {} tokens, of at least {CONCLUSIVE_TURNS} and {CONCLUSIVE_TOKENS}",
            pair.turns, pair.tokens
        );
    };
    if difference.low > 0.0 {
        "the answers are less likely by the shadow".into()
    } else if difference.high < 0.0 {
        "the answers are more likely by the shadow".into()
    } else {
        "no difference of log-probabilities can be told".into()
    }
}

/// A pair as JSON.
fn object(pair: &sislm::Shadow) -> Value {
    let estimate = |estimate: Option<Estimate>| {
        estimate.map(|it| json!({"value": it.value, "low": it.low, "high": it.high}))
    };
    let skipped = pair.skipped().into_iter();
    let skipped: Map<_, _> = skipped
        .map(|(skip, count)| (skip.to_owned(), count.into()))
        .collect();
    json!({
        "alias": pair.alias(),
        "primary": pair.primary(),
        "shadow": pair.version(),
        "permille": pair.permille,
        "ended": pair.ended,
        "drawn": pair.drawn,
        "turns": pair.turns,
        "tokens": pair.tokens,
        "equal": pair.equal,
        "agreement": estimate(pair.agreement()),
        "difference_millionths": pair.difference,
        "difference": estimate(pair.difference()),
        "primary_ns": pair.primary_ns,
        "shadow_ns": pair.shadow_ns,
        "skipped": skipped,
        "conclusive": pair.is_conclusive(),
        "conclusion": conclusion(pair),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> [u8; 64] {
        let mut name = [0; 64];
        name[..text.len()].copy_from_slice(text.as_bytes());
        name
    }

    fn pair() -> sislm::Shadow {
        sislm::Shadow {
            alias: name("prod"),
            shadow: name("tiny@2"),
            primary: name("tiny@1"),
            permille: 100,
            ended: 400,
            drawn: 42,
            turns: 40,
            tokens: 2000,
            equal: 1900,
            difference: 20_000_000,
            tokens_squared: 100_000,
            difference_squared: 10_000_000,
            product: 1_000_000,
            primary_ns: 80_000_000,
            shadow_ns: 40_000_000,
            busy: 2,
            ..Default::default()
        }
    }

    #[test]
    fn a_pair_is_some_lines() {
        let said = text(&pair());
        assert!(
            said.starts_with("prod: tiny@1, compared with tiny@2 (100 of 1000 turns)\n"),
            "{said}"
        );
        assert!(said.contains("40 compared of 42 drawn of 400\n"), "{said}");
        assert!(
            said.contains("95.00 % (95 %: 93.96 % to 95.87 %)\n"),
            "{said}"
        );
        assert!(
            said.contains("2.0 ms a turn by tiny@1, 1.0 ms by tiny@2\n"),
            "{said}"
        );
        assert!(said.contains("2 while another was compared\n"), "{said}");
        assert!(said.contains("less likely by the shadow\n"), "{said}");
    }

    #[test]
    fn too_little_is_said() {
        let few = sislm::Shadow {
            turns: 29,
            ..pair()
        };
        assert!(conclusion(&few).starts_with("too little to conclude: 29 turns and 2000"));
        let none = sislm::Shadow {
            vocabulary: 3,
            ..Default::default()
        };
        assert!(conclusion(&none).starts_with("none: "));
        assert!(text(&none).contains("no answer yet"));
    }

    #[test]
    fn an_object_has_estimates_and_skips() {
        let object = object(&pair());
        assert_eq!(object["skipped"]["busy"], 2);
        assert_eq!(object["agreement"]["value"], 0.95);
        assert_eq!(object["difference"]["value"], 0.01);
        assert_eq!(object["conclusive"], true);
    }
}
