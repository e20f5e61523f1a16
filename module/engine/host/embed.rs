// SPDX-License-Identifier: GPL-2.0
//! The embedding of a text.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sislm_engine::abi::NUMERICS;

use crate::arguments::{Arguments, Embed, Pooling};
use crate::report;
use crate::simd::Simd;
use crate::wall::{Mean, Model, Sequence, Step, Team, Token};

/// Prints the embedding.
pub fn run(arguments: &Arguments, simd: Simd, model: &Model, options: &Embed) -> Result<()> {
    let ids = match options.ids.is_empty() {
        false => options.ids.clone(),
        true => model.tokenize(options.text.as_bytes(), true, false, arguments.budget)?,
    };
    let most = model.facts.context as usize;
    ensure!(!ids.is_empty(), "there is no token to embed");
    ensure!(
        ids.len() <= most,
        "{} tokens are more than the context of {most}",
        ids.len()
    );
    let told = Pooling::from_number(model.facts.pooling);
    let pooling = options.pooling.or(told).unwrap_or(Pooling::None);
    let rows = pooled(pooling, states(arguments, model, options, &ids)?, model)?;
    let mut digest = Sha256::new();
    for value in rows.iter().flatten() {
        digest.update(value.to_bits().to_le_bytes());
    }
    let written = |mut values: Vec<f32>| -> Result<Value> {
        if !options.raw {
            normalize(&mut values)?;
        }
        Ok(values.into_iter().map(f64::from).collect())
    };
    let mut report = json!({
        "model": report::name(&arguments.model),
        "model_sha256": report::hex(&model.digest),
        "numerics": NUMERICS,
        "ids": ids,
        "pooling": pooling.name(),
        "normalized": !options.raw,
        "embeddings_digest": report::hex(&digest.finalize()),
        "simd": simd.name(),
        "threads": arguments.threads,
    });
    let mut rows = rows.into_iter().map(written).collect::<Result<Vec<_>>>()?;
    match pooling {
        Pooling::None => report["embeddings"] = rows.into(),
        _ => report["embedding"] = rows.remove(0),
    }
    println!("{report}");
    Ok(())
}

/// What is made of the hidden states, of which there is at least one.
fn pooled(pooling: Pooling, mut states: Vec<Vec<f32>>, model: &Model) -> Result<Vec<Vec<f32>>> {
    let last = states.len() - 1;
    Ok(match pooling {
        Pooling::None => states,
        Pooling::Mean => {
            let mut mean = Mean::new(model.facts.embedding as usize);
            for state in &states {
                mean.add(state)?;
            }
            vec![mean.finish()?]
        }
        Pooling::First => vec![states.swap_remove(0)],
        Pooling::Last => vec![states.swap_remove(last)],
    })
}

/// The hidden states of all tokens.
fn states(
    arguments: &Arguments,
    model: &Model,
    options: &Embed,
    ids: &[u32],
) -> Result<Vec<Vec<f32>>> {
    let (context, kv_type) = (u32::try_from(ids.len())?, options.kv.number());
    let mut step = Step::new(model, options.batch, arguments.threads, context, kv_type)?;
    let sequence = Sequence::new(kv_type, &step, context)?;
    let mut team = Team::new(arguments.threads);
    let mut states = Vec::new();
    let rows = step.rows();
    for pass in 0..model.facts.passes {
        let firsts = (0..context).step_by(rows);
        for (first, some) in firsts.zip(ids.chunks(rows)) {
            let tokens: Vec<Token<'_>> = (first..)
                .zip(some)
                .map(|(position, id)| Token {
                    sequence: &sequence,
                    position,
                    id: *id,
                    logits: false,
                    hidden_state: Some(match model.facts.passes {
                        1 => position,
                        _ => context - 1,
                    }),
                })
                .collect();
            step.pass(&mut team, &tokens, pass)?;
            if pass + 1 == model.facts.passes {
                for row in 0..tokens.len() {
                    states.push(step.hidden_state(row)?.to_vec());
                }
            }
        }
    }
    Ok(states)
}

/// Divides by the 2-norm.
fn normalize(values: &mut [f32]) -> Result<()> {
    let squares = values.iter().map(|value| f64::from(*value).powi(2));
    let norm = squares.sum::<f64>().sqrt();
    ensure!(norm > 0.0, "an embedding of zeros has no direction (--raw)");
    for value in values {
        // CAST: Rounds to the nearest.
        #[expect(clippy::cast_possible_truncation)]
        let rounded = (f64::from(*value) / norm) as f32;
        *value = rounded;
    }
    Ok(())
}
