// SPDX-License-Identifier: GPL-2.0
//! Continues a prompt.

use std::io::{Read, Write};
use std::time::Instant;

use anyhow::{Result, bail, ensure};
use serde_json::json;
use sislm_engine::abi::NUMERICS;

use crate::arguments::{Arguments, Infer};
use crate::report;
use crate::simd::Simd;
use crate::stop::Stop;
use crate::wall::{Fault, Model, Sampler, Sequence, Step, Team, Token};

/// Positions of a context when none are asked for.
const CONTEXT: u32 = 4096;

/// Continues the prompt and reports the turn.
pub fn run(arguments: &Arguments, simd: Simd, model: &Model, options: &Infer) -> Result<()> {
    model.ensure_head()?;
    let started = Instant::now();
    let prompt = prompt_ids(arguments, model, options)?;
    let context = context(model, options.ctx)?;
    ensure!(
        prompt.len() <= context as usize,
        "the prompt has {} tokens, the context {context} positions",
        prompt.len()
    );
    let seed = match options.seed {
        Some(seed) => seed,
        None => drawn_seed()?,
    };
    let echo = !arguments.json;
    let mut turn = Turn::new(arguments, model, options, context, seed, echo)?;
    let sequence = Sequence::new(options.kv.number(), &turn.step, context)?;
    let load = started.elapsed();

    let started = Instant::now();
    let last = turn.prefill(&sequence, &prompt)?;
    let prefill = started.elapsed();

    let started = Instant::now();
    let finish = turn.decode(&sequence, &prompt, last, options)?;
    let decode = started.elapsed();
    if !arguments.json {
        println!();
        return Ok(());
    }
    let report = json!({
        "model": report::name(&arguments.model),
        "model_sha256": report::hex(&model.digest),
        "numerics": NUMERICS,
        "prompt_ids": prompt,
        "ids": turn.ids,
        "text": String::from_utf8_lossy(&turn.text),
        "finish_reason": finish,
        "seed": seed,
        "simd": simd.name(),
        "threads": arguments.threads,
        "timings": {
            "load_ns": u64::try_from(load.as_nanos())?,
            "prefill_ns": u64::try_from(prefill.as_nanos())?,
            "decode_ns": u64::try_from(decode.as_nanos())?,
        },
    });
    println!("{report}");
    Ok(())
}

/// The ids that follow `options.ids`, with nothing shown.
pub fn ids(arguments: &Arguments, model: &Model, options: &Infer, seed: u64) -> Result<Vec<u32>> {
    model.ensure_head()?;
    let context = options.ctx.min(model.facts.context);
    let mut turn = Turn::new(arguments, model, options, context, seed, false)?;
    let sequence = Sequence::new(options.kv.number(), &turn.step, context)?;
    let last = turn.prefill(&sequence, &options.ids)?;
    turn.decode(&sequence, &options.ids, last, options)?;
    Ok(turn.ids)
}

fn prompt_ids(arguments: &Arguments, model: &Model, options: &Infer) -> Result<Vec<u32>> {
    if !options.ids.is_empty() {
        return Ok(options.ids.clone());
    }
    let text = options.prompt.as_bytes();
    let ids = model.tokenize(text, true, options.control, arguments.budget)?;
    match (ids.is_empty(), model.facts.bos) {
        (false, _) => Ok(ids),
        (true, bos) if bos != !0 => Ok(vec![bos]),
        _ => bail!("the prompt is empty, and the model has no token to begin with"),
    }
}

fn context(model: &Model, asked: u32) -> Result<u32> {
    let most = model.facts.context;
    ensure!(
        asked <= most,
        "a context of {asked} positions is more than the model's {most}"
    );
    Ok(if asked == 0 { most.min(CONTEXT) } else { asked })
}

fn drawn_seed() -> Result<u64> {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// A turn that runs.
struct Turn<'m> {
    model: &'m Model,
    stop: Stop,
    step: Step<'m>,
    team: Team,
    sampler: Sampler<'m>,
    context: u32,
    ids: Vec<u32>,
    text: Vec<u8>,
    /// Bytes of the text that were shown.
    shown: usize,
    echo: bool,
}

impl<'m> Turn<'m> {
    /// A turn of `context` positions that shows its text with `echo`.
    fn new(
        arguments: &Arguments,
        model: &'m Model,
        options: &Infer,
        context: u32,
        seed: u64,
        echo: bool,
    ) -> Result<Self> {
        let kv_type = options.kv.number();
        Ok(Self {
            model,
            stop: Stop::new(model, options, arguments.budget)?,
            step: Step::new(model, options.batch, arguments.threads, context, kv_type)?,
            team: Team::new(arguments.threads),
            sampler: Sampler::new(model, seed, arguments.budget)?,
            context,
            ids: Vec::new(),
            text: Vec::new(),
            shown: 0,
            echo,
        })
    }

    /// Runs the prompt; the row of the last pass that holds the logits.
    fn prefill(&mut self, sequence: &Sequence, prompt: &[u32]) -> Result<usize> {
        let mut position = 0;
        let mut last = 0;
        for batch in prompt.chunks(self.step.rows()) {
            let tokens: Vec<Token<'_>> = batch
                .iter()
                .zip(position..)
                .map(|(&id, position)| Token {
                    sequence,
                    position,
                    id,
                    logits: position as usize + 1 == prompt.len(),
                    hidden_state: None,
                })
                .collect();
            self.step.run(&mut self.team, &tokens)?;
            position += u32::try_from(batch.len())?;
            last = batch.len() - 1;
        }
        Ok(last)
    }

    /// Draws tokens until the turn ends; why it ended.
    fn decode(
        &mut self,
        sequence: &Sequence,
        prompt: &[u32],
        mut row: usize,
        options: &Infer,
    ) -> Result<&'static str> {
        let drawing = options.drawing.drawing()?;
        let mut history = prompt.to_vec();
        loop {
            let logits = match self.step.logits(row) {
                Err(Fault::Numeric) => return Ok("numeric"),
                logits => logits?,
            };
            let id = self.sampler.sample(logits, &drawing, &history)?;
            self.ids.push(id);
            let ends = self.model.ends(id)? && !options.ignore_eos;
            if ends || self.stop.ids.contains(&id) {
                self.show(self.text.len())?;
                return Ok("stop");
            }
            // The space prefix is no text when nothing but BOS comes before.
            let bytes = self
                .model
                .detokenize(id, history == [self.model.facts.bos])?;
            self.text.extend(bytes);
            if let Some(end) = self.stop.end(&self.text) {
                self.text.truncate(end);
                self.show(end)?;
                return Ok("stop");
            }
            self.show(self.stop.decided(&self.text))?;
            if self.ids.len() == options.max_tokens as usize {
                self.show(self.text.len())?;
                return Ok("length");
            }
            let position = u32::try_from(history.len())?;
            if position >= self.context {
                self.show(self.text.len())?;
                return Ok("context");
            }
            history.push(id);
            self.step.run(
                &mut self.team,
                &[Token {
                    sequence,
                    position,
                    id,
                    logits: true,
                    hidden_state: None,
                }],
            )?;
            row = 0;
        }
    }

    /// Shows the text up to byte `end`, unless it is shown in a report.
    fn show(&mut self, end: usize) -> Result<()> {
        if self.echo {
            let mut out = std::io::stdout().lock();
            out.write_all(self.text.get(self.shown..end).unwrap_or_default())?;
            out.flush()?;
        }
        self.shown = self.shown.max(end);
        Ok(())
    }
}
