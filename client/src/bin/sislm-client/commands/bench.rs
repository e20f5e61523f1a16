// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bench`: tokens per second of a model, as llama-bench measures and prints them.

use std::fs;
use std::io::Write;

use anyhow::Context;
use indicatif::BinaryBytes;
use serde_json::{json, Value};
use sislm::{Device, Model, Query, Simd};

use crate::bench::{svg, Row, Test};
use crate::choice;
use crate::cli::{Bench, Cli};
use crate::commands::suite;
use crate::exit_codes::{ExitCode, Failure};

/// Runs `bench`: each row is printed once it is measured.
pub(crate) fn run(cli: &Cli, arguments: &Bench, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let query = device.query()?;
    let model = choice::choose(&device, cli, arguments.model.model.as_deref())?;
    choice::ensure_text(&model)?;
    if arguments.suite {
        return suite::run(cli, &device, &model, arguments.repetitions, out);
    }
    let tests = tests(arguments);
    check(&tests, &model)?;
    if !cli.json {
        head(out)?;
    }
    let mut rows = Vec::new();
    for test in tests {
        let row = measured(&device, &model, test, arguments.repetitions)?;
        if !cli.json {
            line(out, &model, &query, &row)?;
        }
        rows.push(row);
    }
    if cli.json {
        writeln!(out, "{}", object(&model, &query, &rows))?;
    }
    if let Some(path) = &arguments.svg {
        let (simd, threads) = (Simd(query.simd), query.threads);
        let title = format!("{}, {simd}, threads: {threads}", model.name());
        fs::write(path, svg(&title, &rows))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::Success)
}

/// Prompts first, as llama-bench has them. 0 leaves a kind out.
fn tests(arguments: &Bench) -> Vec<Test> {
    let prompts = arguments.prompt.iter().copied().map(Test::Prompt);
    let generations = arguments.generation.iter().copied().map(Test::Generation);
    prompts
        .chain(generations)
        .filter(|test| test.tokens() > 0)
        .collect()
}

/// Refuses no test at all, and those that no context of the model has room for.
fn check(tests: &[Test], model: &Model) -> anyhow::Result<()> {
    let sentence = match tests.iter().find(|test| test.positions() > model.context) {
        None if tests.is_empty() => "there is nothing to measure: give -p or -n a number".into(),
        None => return Ok(()),
        Some(test) => format!(
            "{test} needs {} positions, and a context of the model \"{}\" has at most {}: measure less with -p and -n",
            test.positions(),
            model.name(),
            model.context
        ),
    };
    Err(Failure::error(ExitCode::Usage, sentence))
}

/// The times of a test, after one that is not counted.
fn measured(device: &Device, model: &Model, test: Test, count: u32) -> anyhow::Result<Row> {
    let config = test.config(choice::name_of(model)?);
    let mut session = device.session(&config)?;
    test.run(&mut session, model)?;
    let samples = (0..count).map(|_| test.run(&mut session, model));
    Ok(Row {
        test,
        samples: samples.collect::<Result<_, _>>()?,
    })
}

fn head(out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "| {:<30} | {:>10} | {:>10} | {:<10} | {:>7} | {:>15} | {:>20} |",
        "model", "size", "params", "backend", "threads", "test", "t/s"
    )?;
    let right = |width| format!("{}:", "-".repeat(width));
    writeln!(
        out,
        "| {} | {} | {} | {} | {} | {} | {} |",
        "-".repeat(30),
        right(9),
        right(9),
        "-".repeat(10),
        right(6),
        right(14),
        right(19)
    )?;
    Ok(())
}

fn line(out: &mut impl Write, model: &Model, query: &Query, row: &Row) -> anyhow::Result<()> {
    let (mean, deviation) = row.tokens_per_second();
    writeln!(
        out,
        "| {:<30} | {:>10} | {:>10} | {:<10} | {:>7} | {:>15} | {:>20} |",
        model.name(),
        BinaryBytes(model.file_bytes).to_string(),
        millions(model.parameters),
        Simd(query.simd).to_string(),
        query.threads,
        row.test.to_string(),
        format!("{mean:.2} ± {deviation:.2}")
    )?;
    out.flush()?;
    Ok(())
}

/// A number of parameters.
fn millions(count: u64) -> String {
    let count = count as f64;
    if count < 1e9 {
        format!("{:.2} M", count / 1e6)
    } else {
        format!("{:.2} B", count / 1e9)
    }
}

fn object(model: &Model, query: &Query, rows: &[Row]) -> Value {
    json!({
        "model": model.name(),
        "model_sha256": model.digest().to_string(),
        "model_size": model.file_bytes,
        "model_n_params": model.parameters,
        "simd": Simd(query.simd).to_string(),
        "n_threads": query.threads,
        "numerics": query.numerics,
        "rows": rows.iter().map(Row::to_json).collect::<Value>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_wide_as_its_head() {
        let mut out = Vec::new();
        head(&mut out).unwrap();
        let row = Row {
            test: Test::Prompt(512),
            samples: vec![1_000_000_000],
        };
        line(&mut out, &Model::default(), &Query::default(), &row).unwrap();
        let text = String::from_utf8(out).unwrap();
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [widths[0]; 3], "{text}");
        assert!(
            text.contains("|           pp512 |        512.00 ± 0.00 |"),
            "{text}"
        );
    }

    #[test]
    fn a_test_fits_the_model() {
        let model = Model {
            context: 256,
            ..Default::default()
        };
        assert!(check(&[Test::Prompt(255), Test::Generation(254)], &model).is_ok());
        assert!(check(&[Test::Prompt(256)], &model).is_err());
        assert!(check(&[Test::Generation(255)], &model).is_err());
        assert!(check(&[], &model).is_err());
    }

    #[test]
    fn parameters_are_counted_in_millions() {
        assert_eq!(millions(134_515_008), "134.52 M");
        assert_eq!(millions(1_235_814_432), "1.24 B");
    }
}
