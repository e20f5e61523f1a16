// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bench --suite`: what parts of the module take, beside what they are to take.

use std::io::Write;

use serde_json::{json, Value};
use sislm::{Device, Model, Query, Simd};

use crate::bench::suite::{is_emulated, Counters, Line, Part, Subject};
use crate::choice;
use crate::cli::Cli;
use crate::exit_codes::ExitCode;

/// Measures each part `count` times, after once that is not counted, and prints it.
pub(crate) fn run(
    cli: &Cli,
    device: &Device,
    model: &Model,
    count: u32,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let query = device.query()?;
    let config = Part::test(model.context).config(choice::name_of(model)?);
    let mut subject = Subject {
        device,
        model,
        session: device.session(&config)?,
        counters: Counters::new(),
    };
    let emulated = is_emulated();
    if !cli.json {
        head(out, model, &query, emulated)?;
    }
    let mut lines = Vec::new();
    for part in Part::ALL {
        part.run(&mut subject)?;
        let samples = (0..count).map(|_| part.run(&mut subject));
        let line = Line {
            part,
            samples: samples.collect::<Result<_, _>>()?,
        };
        if !cli.json {
            row(out, &line)?;
        }
        lines.push(line);
    }
    if cli.json {
        writeln!(out, "{}", object(model, &query, emulated, &lines))?;
    }
    Ok(ExitCode::Success)
}

/// Who measures, and the names of the columns.
fn head(out: &mut impl Write, model: &Model, query: &Query, emulated: bool) -> anyhow::Result<()> {
    let note = if emulated {
        "; emulated: the times are the emulator's"
    } else {
        ""
    };
    writeln!(
        out,
        "{}, {}, threads: {}{note}",
        model.name(),
        Simd(query.simd),
        query.threads
    )?;
    columns(out, ["part", "target", "measured", "met", "instructions"])
}

fn row(out: &mut impl Write, line: &Line) -> anyhow::Result<()> {
    let counted = line.instructions();
    columns(
        out,
        [
            line.part.name(),
            &line.target_text(),
            &line.value_text(),
            if line.is_met() { "yes" } else { "no" },
            &counted.map_or("-".into(), |count| format!("{count:.0}")),
        ],
    )
}

fn columns(
    out: &mut impl Write,
    [part, target, measured, met, counted]: [&str; 5],
) -> anyhow::Result<()> {
    writeln!(
        out,
        "{part:<32} {target:>10} {measured:>24} {met:>4} {counted:>14}"
    )?;
    out.flush()?;
    Ok(())
}

fn object(model: &Model, query: &Query, emulated: bool, lines: &[Line]) -> Value {
    json!({
        "model": model.name(),
        "model_sha256": model.digest().to_string(),
        "simd": Simd(query.simd).to_string(),
        "n_threads": query.threads,
        "emulated": emulated,
        "parts": lines.iter().map(Line::to_json).collect::<Value>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::suite::Sample;

    #[test]
    fn rows_are_below_their_head() {
        let sample = |value, instructions| Sample {
            value,
            instructions,
        };
        let line = Line {
            part: Part::Dot,
            samples: vec![sample(400.0, Some(90.0))],
        };
        let mut out = Vec::new();
        head(&mut out, &Model::default(), &Query::default(), true).unwrap();
        row(&mut out, &line).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("emulated: the times are the emulator's"));
        assert_eq!(lines[1].len(), lines[2].chars().count(), "{text}");
        assert!(lines[2].ends_with("yes             90"), "{text}");
    }
}
