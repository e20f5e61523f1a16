// SPDX-License-Identifier: GPL-2.0
//! From logits to tokens and log-probabilities.

use super::{
    memory::{Memory, Owner},
    model::{engine_pointer, ModelMemory},
    neon::Section,
    step::Logits,
    uapi::{Candidate, Sampling},
    wall::{self, status, Fault, Progress},
};
use core::ptr;
use kernel::{prelude::*, sync::Arc};

/// Candidates handled in one section.
const BUDGET: u32 = 16384;

/// Target of a score that asks for none.
pub(crate) const NO_TARGET: u32 = !0;

/// What the engine says of a member outside its range.
pub(crate) use super::wall::OutOfRange;

// The two structures are one, declared on both sides.
const _: () = assert!(size_of::<wall::Sampling>() == size_of::<Sampling>());

/// The balanced preset.
pub(crate) const BALANCED: Sampling = {
    let from = wall::Sampling::BALANCED;
    Sampling {
        temperature: from.temperature,
        top_k: from.top_k,
        top_p: from.top_p,
        min_p: from.min_p,
        typical_p: from.typical_p,
        repeat_penalty: from.repeat_penalty,
        repeat_last: from.repeat_last,
        presence_penalty: from.presence_penalty,
        frequency_penalty: from.frequency_penalty,
        pad: from.pad,
    }
};

/// What is outside its range, if anything is.
pub(crate) fn check(section: &mut Section, sampling: &Sampling) -> Result<Option<OutOfRange>> {
    let mut refused = OutOfRange {
        offset: 0,
        pad: 0,
        least: 0,
        most: 0,
    };
    let sampling = ptr::from_ref(sampling).cast();
    let code = section.enter(|_| {
        // SAFETY: A structure as the engine has it, and a place of our own.
        unsafe { wall::sislm_engine_sampling_check(sampling, &mut refused) }
    });
    match status(code) {
        Ok(_) => Ok(None),
        Err(Fault::Refused) => Ok(Some(refused)),
        Err(fault) => Err(fault.into()),
    }
}

/// The named random generator.
#[derive(Clone, Copy)]
pub(crate) struct Generator(wall::Generator);

impl Generator {
    /// Seeded with `seed`.
    pub(crate) fn new(section: &mut Section, seed: u64) -> Result<Self> {
        let mut generator = wall::Generator {
            state: 0,
            stream: 0,
        };
        let code = section.enter(|_| {
            // SAFETY: A place of our own.
            unsafe { wall::sislm_engine_generator(&mut generator, seed) }
        });
        status(code)?;
        Ok(Self(generator))
    }
}

/// A workspace for sampling and scoring with one model.
pub(crate) struct Sampler {
    work: Memory,
    model: Arc<ModelMemory>,
}

impl Sampler {
    /// Takes its memory.
    pub(crate) fn new(section: &mut Section, model: &Arc<ModelMemory>) -> Result<Self> {
        let mut size = 0;
        let code = section.enter(|_| {
            // SAFETY: The model is sealed.
            unsafe { wall::sislm_engine_sample_size(engine_pointer(model), &mut size) }
        });
        status(code)?;
        Ok(Self {
            work: Memory::sized(size, Owner::Step)?,
            model: model.clone(),
        })
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.work.len() as u64
    }

    /// Draws a token; `history` holds the tokens of the context, oldest first. `pause` is called
    /// between sections.
    pub(crate) fn sample(
        &mut self,
        section: &mut Section,
        logits: &Logits<'_>,
        sampling: &Sampling,
        history: &[u32],
        generator: &mut Generator,
        mut pause: impl FnMut(),
    ) -> Result<u32> {
        let sampling = ptr::from_ref(sampling).cast();
        let count = u32::try_from(history.len()).map_err(|_| EINVAL)?;
        let mut token = 0;
        let work = self.work.base();
        let (bytes, model) = (self.work.len(), engine_pointer(&self.model));
        let code = section.enter(|_| {
            // SAFETY: The workspace is ours; logits and history are borrowed until the end.
            unsafe {
                wall::sislm_engine_sample_begin(
                    work,
                    bytes,
                    model,
                    logits.bytes().as_ptr(),
                    sampling,
                    history.as_ptr(),
                    count,
                )
            }
        });
        status(code)?;
        loop {
            let code = section.enter(|_| {
                // SAFETY: As above.
                unsafe { wall::sislm_engine_sample_run(work, BUDGET, &mut generator.0, &mut token) }
            });
            match status(code)? {
                Progress::Done => return Ok(token),
                Progress::More => pause(),
            }
        }
    }

    /// The log-probability of `target` in millionths; `candidates` is filled with the most likely
    /// tokens. `pause` is called between sections.
    pub(crate) fn score(
        &mut self,
        section: &mut Section,
        logits: &Logits<'_>,
        target: u32,
        candidates: &mut [Candidate],
        mut pause: impl FnMut(),
    ) -> Result<i32> {
        let top = u32::try_from(candidates.len()).map_err(|_| EINVAL)?;
        let mut probability = 0;
        let work = self.work.base();
        let (bytes, model) = (self.work.len(), engine_pointer(&self.model));
        let code = section.enter(|_| {
            // SAFETY: As in `sample`.
            unsafe {
                wall::sislm_engine_score_begin(
                    work,
                    bytes,
                    model,
                    logits.bytes().as_ptr(),
                    target,
                    top,
                )
            }
        });
        status(code)?;
        // The two structures are one, declared on both sides.
        const _: () = assert!(size_of::<wall::Candidate>() == size_of::<Candidate>());
        let first: *mut wall::Candidate = candidates.as_mut_ptr().cast();
        loop {
            let code = section.enter(|_| {
                // SAFETY: As in `sample`; `first` has room for `top` candidates.
                unsafe { wall::sislm_engine_score_run(work, BUDGET, &mut probability, first) }
            });
            match status(code)? {
                Progress::Done => return Ok(probability),
                Progress::More => pause(),
            }
        }
    }
}
