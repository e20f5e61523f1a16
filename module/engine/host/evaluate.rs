// SPDX-License-Identifier: GPL-2.0
//! Log-probabilities of given tokens, and the digest of all logits.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sislm_engine::abi::{ADAPTERS_MAX, NUMERICS};

use crate::arguments::{Arguments, Eval};
use crate::report;
use crate::simd::Simd;
use crate::wall::{Model, Sampler, Sequence, Step, Team, Token};

/// Evaluates the tokens and reports.
pub fn run(arguments: &Arguments, simd: Simd, model: &Model, options: &Eval) -> Result<()> {
    model.ensure_head()?;
    let ids = match options.ids.is_empty() {
        false => options.ids.clone(),
        true => model.tokenize(options.text.as_bytes(), true, false, arguments.budget)?,
    };
    let most = model.facts.context as usize;
    ensure!(!ids.is_empty(), "there is no token to evaluate");
    ensure!(
        ids.len() <= most,
        "{} tokens are more than the context of {most}",
        ids.len()
    );

    let context = u32::try_from(ids.len())?;
    let kv_type = options.kv.number();
    let step = Step::new(model, options.batch, arguments.threads, context, kv_type)?;
    let sequences = (0..options.sequences)
        .map(|index| match index {
            0 => Sequence::new(kv_type, &step, context),
            _ => Sequence::scaled(kv_type, &step, context, [0; ADAPTERS_MAX]),
        })
        .collect::<Result<Vec<_>>>()?;
    let mut evaluation = Evaluation {
        step,
        team: Team::new(arguments.threads),
        sampler: Sampler::new(model, 0, arguments.budget)?,
        ids: &ids,
        top_entries: options.top,
        log_probabilities: vec![0],
        top: Vec::new(),
        digest: Sha256::new(),
    };
    evaluation.run(&sequences)?;

    let nll: f64 = evaluation
        .log_probabilities
        .iter()
        .map(|&l| -f64::from(l) / 1e6)
        .sum();
    let mean = (ids.len() > 1).then(|| nll / (ids.len() - 1) as f64);
    let report = json!({
        "model": report::name(&arguments.model),
        "model_sha256": report::hex(&model.digest),
        "numerics": NUMERICS,
        "ids": ids,
        "log_probabilities": evaluation.log_probabilities,
        "mean_nll": mean,
        "perplexity": mean.map(f64::exp),
        "top": evaluation.top,
        "logits_digest": report::hex(&evaluation.digest.finalize()),
        "simd": simd.name(),
        "threads": arguments.threads,
    });
    if arguments.json {
        println!("{report}");
    } else {
        for key in ["mean_nll", "perplexity", "logits_digest"] {
            println!("{key:<15}{}", report[key]);
        }
    }
    Ok(())
}

struct Evaluation<'a> {
    step: Step<'a>,
    team: Team,
    sampler: Sampler<'a>,
    ids: &'a [u32],
    top_entries: u32,
    log_probabilities: Vec<i32>,
    top: Vec<Value>,
    digest: Sha256,
}

impl Evaluation<'_> {
    /// Runs all positions in batches of the step's rows, shared evenly by the sequences.
    fn run(&mut self, sequences: &[Sequence]) -> Result<()> {
        let share = self.step.rows() / sequences.len();
        ensure!(share != 0, "a batch has at least one row for each sequence");
        let mut first = 0;
        while first < self.ids.len() {
            let count = share.min(self.ids.len() - first);
            self.batch(sequences, first, count)?;
            first += count;
        }
        Ok(())
    }

    /// A pass over `count` positions for each group of rows that can have logits. The passes after
    /// the first store the same keys and values again.
    fn batch(&mut self, sequences: &[Sequence], first: usize, count: usize) -> Result<()> {
        let group = self.step.logits_rows();
        for wanted in (first..first + count).step_by(group) {
            let wanted = wanted..(wanted + group).min(first + count);
            let mut tokens = Vec::new();
            for (shift, sequence) in sequences.iter().enumerate() {
                tokens.extend((first..first + count).map(|position| Token {
                    sequence,
                    // CAST: Below `context`.
                    #[expect(clippy::cast_possible_truncation)]
                    position: position as u32,
                    id: self.ids[(position + shift) % self.ids.len()],
                    logits: shift == 0 && wanted.contains(&position),
                    hidden_state: None,
                }));
            }
            self.step.run(&mut self.team, &tokens)?;
            for position in wanted {
                self.score(position, position - first)?;
            }
        }
        Ok(())
    }

    /// Takes the logits after `position`, which are in `row`.
    fn score(&mut self, position: usize, row: usize) -> Result<()> {
        let logits = self.step.logits(row)?;
        for logit in logits {
            self.digest.update(logit.to_bits().to_le_bytes());
        }
        let target = self.ids.get(position + 1).copied();
        let (log_probability, top) = self.sampler.score(logits, target, self.top_entries)?;
        if target.is_some() {
            self.log_probabilities.push(log_probability);
        }
        if self.top_entries != 0 {
            self.top.push(
                top.iter()
                    .map(|c| json!([c.id, c.log_probability]))
                    .collect(),
            );
        }
        Ok(())
    }
}
