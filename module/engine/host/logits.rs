// SPDX-License-Identifier: GPL-2.0
//! Logits at every position of given sequences, as raw numbers for other programs.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::{Context, Result, ensure};
use sislm_engine::abi::LOGITS_MAX;

use crate::arguments::{Arguments, Logits};
use crate::wall::{Model, Sequence, Step, Team, Token};

/// Writes the logits of all sequences of the file, one after the other: f32, little-endian, a row of the
/// vocabulary for each position.
pub fn run(arguments: &Arguments, model: &Model, options: &Logits) -> Result<()> {
    let sequences = read(options)?;
    let longest = sequences.iter().map(Vec::len).max().unwrap_or(0);
    ensure!(longest != 0, "there is no sequence to evaluate");
    ensure!(
        longest <= model.facts.context as usize,
        "{longest} tokens are more than the context of {}",
        model.facts.context
    );
    let context = u32::try_from(longest)?;
    let kv_type = options.kv.number();
    let mut step = Step::new(model, LOGITS_MAX, arguments.threads, context, kv_type)?;
    let mut team = Team::new(arguments.threads);
    let mut output = BufWriter::new(File::create(&options.output)?);
    for ids in &sequences {
        let sequence = Sequence::new(kv_type, &step, context)?;
        let tokens: Vec<Token> = (0..)
            .zip(ids)
            .map(|(position, &id)| Token {
                sequence: &sequence,
                position,
                id,
                logits: true,
                hidden_state: None,
            })
            .collect();
        for batch in tokens.chunks(step.logits_rows()) {
            step.run(&mut team, batch)?;
            for row in 0..batch.len() {
                for logit in step.logits(row)? {
                    output.write_all(&logit.to_le_bytes())?;
                }
            }
        }
    }
    output.flush()?;
    Ok(())
}

/// The ids of each line.
fn read(options: &Logits) -> Result<Vec<Vec<u32>>> {
    let path = options.sequences.display();
    let text = std::fs::read_to_string(&options.sequences)
        .with_context(|| format!("cannot read {path}"))?;
    text.lines()
        .map(|line| line.split(' ').map(str::parse).collect::<Result<_, _>>())
        .collect::<Result<_, _>>()
        .with_context(|| format!("{path}: a line is ids with a space between them"))
}
