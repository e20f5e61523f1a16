// SPDX-License-Identifier: MIT OR Apache-2.0
//! `eval`: log-probabilities and perplexity of given tokens.

use std::io::Write;

use anyhow::Context;
use serde_json::{json, Value};
use sislm::{Device, Evaluation, Model, Query, SessionConfig, Simd, Tokenize};

use crate::cli::{Cli, Eval};
use crate::exit_codes::{ExitCode, Failure};
use crate::{choice, input, lora};

/// Runs `eval`.
pub(crate) fn run(cli: &Cli, arguments: &Eval, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let device = Device::open(&cli.device)?;
    let query = device.query()?;
    let text = match &arguments.ids {
        Some(_) => Vec::new(),
        None => input::text(arguments.text.as_deref(), query.prompt_max)?,
    };
    let wanted = arguments.model.model.as_deref();
    let (model, mut session, name) = choice::choose_with_session(&device, cli, wanted)?;
    choice::ensure_text(&model)?;
    let mut config = SessionConfig {
        model: Some(name),
        kv: arguments.context.kv,
        parse_control: arguments.control,
        scales: lora::scales(&model, &arguments.lora.lora)?,
        ..Default::default()
    };
    let ids = match &arguments.ids {
        Some(ids) => {
            choice::check_ids(&model, ids)?;
            ids.clone()
        }
        None => {
            let how = Tokenize {
                first: true,
                control: arguments.control,
            };
            choice::configure(&mut session, &model, &config)?;
            session.tokenize(&text, how)?
        }
    };
    let asked = choice::positions_of(&model, arguments.context.positions)?;
    config.context = positions(asked, ids.len(), &model, &query)?;
    choice::configure(&mut session, &model, &config)?;
    let evaluation = session.evaluate(&ids, arguments.top)?;
    if cli.json {
        writeln!(out, "{}", object(&model, &query, &ids, &evaluation))?;
    } else {
        print(&ids, &evaluation, out)?;
    }
    Ok(ExitCode::Success)
}

/// Positions of the context: those asked for, else as many as the ids need.
fn positions(asked: Option<u32>, ids: usize, model: &Model, query: &Query) -> anyhow::Result<u32> {
    if ids == 0 {
        return Err(Failure::error(
            ExitCode::Usage,
            "there is no token to evaluate: give a text or --ids",
        ));
    }
    let positions = asked.unwrap_or(model.context);
    let needed = u32::try_from(ids).context("too many ids")?;
    if needed > positions {
        let sentence = format!(
            "{needed} tokens do not fit a context of {positions} positions (the model has {} at most): evaluate fewer",
            model.context
        );
        return Err(Failure::error(ExitCode::PromptTooLong, sentence));
    }
    Ok(asked.unwrap_or(needed.max(model.default_context(query))))
}

fn print(ids: &[u32], evaluation: &Evaluation, out: &mut impl Write) -> anyhow::Result<()> {
    for (position, (id, log_probability)) in
        ids.iter().zip(&evaluation.log_probabilities).enumerate()
    {
        write!(
            out,
            "{position:>5} {id:>7} {:>11.6}",
            f64::from(*log_probability) / 1e6
        )?;
        for candidate in evaluation.top.get(position).into_iter().flatten() {
            write!(
                out,
                "  {}:{:.3}",
                candidate.id,
                f64::from(candidate.log_probability) / 1e6
            )?;
        }
        writeln!(out)?;
    }
    if let (Some(mean), Some(perplexity)) = (evaluation.mean_nll(), evaluation.perplexity()) {
        writeln!(out, "mean nll {mean:.6}, perplexity {perplexity:.4}")?;
    }
    writeln!(out, "logits sha256 {}", evaluation.logits_digest)?;
    Ok(())
}

/// The object of `eval --json`.
fn object(model: &Model, query: &Query, ids: &[u32], evaluation: &Evaluation) -> Value {
    let top: Vec<Vec<(u32, i32)>> = evaluation
        .top
        .iter()
        .map(|row| {
            row.iter()
                .map(|candidate| (candidate.id, candidate.log_probability))
                .collect()
        })
        .collect();
    json!({
        "model": model.name(),
        "model_sha256": model.digest().to_string(),
        "numerics": query.numerics,
        "ids": ids,
        "log_probabilities": evaluation.log_probabilities,
        "mean_nll": evaluation.mean_nll(),
        "perplexity": evaluation.perplexity(),
        "top": top,
        "logits_digest": evaluation.logits_digest.to_string(),
        "simd": Simd(query.simd).to_string(),
        "threads": query.threads,
    })
}

#[cfg(test)]
mod tests {
    use sislm::{Candidate, Digest};

    use super::*;

    #[test]
    fn the_object_has_the_agreed_keys_in_order() {
        let evaluation = Evaluation {
            log_probabilities: vec![0, -500_000],
            top: vec![
                vec![Candidate {
                    id: 7,
                    log_probability: -1,
                }],
                vec![Candidate {
                    id: 8,
                    log_probability: -2,
                }],
            ],
            nll: 500_000,
            prefill_ns: 0,
            logits_digest: Digest([1; 32]),
        };
        let query = Query {
            numerics: 1,
            simd: 1,
            threads: 4,
            ..Default::default()
        };
        let object = object(&Model::default(), &query, &[5, 6], &evaluation);
        let keys: Vec<&String> = object.as_object().unwrap().keys().collect();
        let wanted = [
            "model",
            "model_sha256",
            "numerics",
            "ids",
            "log_probabilities",
            "mean_nll",
            "perplexity",
            "top",
            "logits_digest",
            "simd",
            "threads",
        ];
        assert_eq!(keys, wanted);
        assert_eq!(object["top"], json!([[[7, -1]], [[8, -2]]]));
        assert_eq!(object["log_probabilities"], json!([0, -500_000]));
        assert_eq!(object["mean_nll"], json!(0.5));
        assert_eq!(object["simd"], json!("scalar"));
    }

    #[test]
    fn the_context_grows_with_the_ids_up_to_the_models() {
        let model = Model {
            context: 8192,
            ..Default::default()
        };
        let query = Query {
            context_default: 4096,
            ..Default::default()
        };
        assert_eq!(positions(None, 10, &model, &query).unwrap(), 4096);
        assert_eq!(positions(None, 5000, &model, &query).unwrap(), 5000);
        assert_eq!(positions(Some(64), 10, &model, &query).unwrap(), 64);
        for (asked, ids) in [(None, 8193), (Some(64), 65), (None, 0)] {
            assert!(positions(asked, ids, &model, &query).is_err());
        }
    }
}
