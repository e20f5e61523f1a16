// SPDX-License-Identifier: GPL-2.0
//! From logits to tokens and log-probabilities.

use anyhow::Result;
use sislm_engine::abi::{Bias, Candidate, Generator, OutOfRange, Samplers, Sampling};

use super::memory::Memory;
use super::model::Model;
use super::status::{Fault, done, finish};
use super::*;

/// How tokens are drawn.
#[derive(Clone)]
pub struct Drawing {
    /// What is always there.
    pub sampling: Sampling,
    /// What is off unless asked for.
    pub samplers: Samplers,
    /// By ascending id.
    pub biases: Vec<Bias>,
}

impl Drawing {
    /// The bytes of all, as they are in the device's interface.
    pub fn bytes(&self) -> [&[u8]; 3] {
        [
            view(std::slice::from_ref(&self.sampling)),
            view(std::slice::from_ref(&self.samplers)),
            view(&self.biases),
        ]
    }
}

/// A structure of 32-bit numbers and bytes, without padding.
trait Packed {}
impl Packed for Sampling {}
impl Packed for Samplers {}
impl Packed for Bias {}

/// The bytes of `items`.
fn view<T: Packed>(items: &[T]) -> &[u8] {
    // SAFETY: A `Packed` has no padding, so all its bytes are initialized; they are borrowed as the items are.
    unsafe { std::slice::from_raw_parts(items.as_ptr().cast(), size_of_val(items)) }
}

/// Checks the ranges; the member that is outside its own.
pub fn check_drawing(drawing: &Drawing) -> Result<(), OutOfRange> {
    let mut refused = OutOfRange {
        part: 0,
        offset: 0,
        least: 0,
        most: 0,
    };
    let count = u32::try_from(drawing.biases.len()).unwrap_or(u32::MAX);
    // SAFETY: Live locals, and `count` biases.
    let checked = unsafe {
        sislm_engine_sampling_check(
            &drawing.sampling,
            &drawing.samplers,
            drawing.biases.as_ptr(),
            count,
            &mut refused,
        )
    };
    match done(checked) {
        Ok(_) => Ok(()),
        Err(_) => Err(refused),
    }
}

/// A workspace for one model, and a generator.
pub struct Sampler<'m> {
    work: Memory,
    model: &'m Model,
    generator: Generator,
    budget: u32,
}

impl<'m> Sampler<'m> {
    /// A sampler whose calls have `budget` units of work.
    pub fn new(model: &'m Model, seed: u64, budget: u32) -> Result<Self> {
        let mut size = 0;
        // SAFETY: The model is sealed; `size` is a live local.
        done(unsafe { sislm_engine_sample_size(model.base(), &mut size) })?;
        let mut generator = Generator {
            state: 0,
            stream: 0,
            limit: 0,
        };
        // SAFETY: A live local.
        done(unsafe { sislm_engine_generator(&mut generator, seed) })?;
        Ok(Self {
            work: Memory::new(size)?,
            model,
            generator,
            budget,
        })
    }

    /// Draws the next token; `history` holds the tokens of the context, oldest first.
    pub fn sample(
        &mut self,
        logits: &[f32],
        drawing: &Drawing,
        history: &[u32],
    ) -> Result<u32, Fault> {
        let count = u32::try_from(history.len()).map_err(|_| Fault::Capacity)?;
        let biases = u32::try_from(drawing.biases.len()).map_err(|_| Fault::Capacity)?;
        // SAFETY: The logits are the model's vocabulary long; history is `count` ids, and there are
        // as many biases as said. All live to the end of the draw.
        done(unsafe {
            sislm_engine_sample_begin(
                self.work.base(),
                self.work.len(),
                self.model.base(),
                logits.as_ptr().cast(),
                &drawing.sampling,
                &drawing.samplers,
                drawing.biases.as_ptr(),
                biases,
                history.as_ptr(),
                count,
                std::ptr::null(),
            )
        })?;
        let mut token = 0;
        finish(|| {
            // SAFETY: The workspace was begun, and its logits are still borrowed.
            unsafe {
                sislm_engine_sample_run(
                    self.work.base(),
                    self.budget,
                    &mut self.generator,
                    &mut token,
                )
            }
        })?;
        Ok(token)
    }

    /// ln p of `target` and the `top` most likely tokens, in millionths.
    pub fn score(
        &mut self,
        logits: &[f32],
        target: Option<u32>,
        top: u32,
    ) -> Result<(i32, Vec<Candidate>), Fault> {
        // SAFETY: The logits are the model's vocabulary long.
        done(unsafe {
            sislm_engine_score_begin(
                self.work.base(),
                self.work.len(),
                self.model.base(),
                logits.as_ptr().cast(),
                target.unwrap_or(!0),
                top,
            )
        })?;
        let entries = top.min(self.model.facts.vocabulary) as usize;
        let mut candidates = vec![
            Candidate {
                id: 0,
                log_probability: 0
            };
            top as usize
        ];
        let mut log_probability = 0;
        finish(|| {
            // SAFETY: `top` entries; the logits are still borrowed.
            unsafe {
                sislm_engine_score_run(
                    self.work.base(),
                    self.budget,
                    &mut log_probability,
                    candidates.as_mut_ptr(),
                )
            }
        })?;
        candidates.truncate(entries);
        Ok((log_probability, candidates))
    }
}
