// SPDX-License-Identifier: GPL-2.0
//! From logits to tokens and log-probabilities.

use super::{
    digest::{Sha256, DIGEST_BYTES},
    memory::{Memory, Owner},
    model::{engine_pointer, ModelMemory},
    neon::Section,
    step::Logits,
    uapi::{Bias, Candidate, Configure, Samplers, Sampling},
    user,
    wall::{self, status, Fault, Progress},
    wiped::Wiped,
};
use core::{mem::offset_of, ops::Deref, ptr};
use kernel::{prelude::*, sync::Arc};

/// Candidates handled in one section.
const BUDGET: u32 = 16384;

/// Target of a score that asks for none.
pub(crate) const NO_TARGET: u32 = !0;

// The structures are one each, declared on both sides.
const _: () = assert!(size_of::<wall::Sampling>() == size_of::<Sampling>());
const _: () = assert!(size_of::<wall::Samplers>() == size_of::<Samplers>());
const _: () = assert!(size_of::<wall::Bias>() == size_of::<Bias>());

/// How tokens are drawn, checked.
pub(crate) struct Drawing {
    sampling: Sampling,
    samplers: Samplers,
    biases: Wiped<Bias>,
}

/// A drawing that a file shares with its turns.
#[derive(Clone)]
pub(crate) struct SharedDrawing(Option<Arc<Drawing>>);

impl SharedDrawing {
    /// That of a file that is never configured.
    pub(crate) const BALANCED: Self = Self(None);

    /// Takes its memory, charged to the caller.
    pub(crate) fn new(drawing: Drawing) -> Result<Self> {
        Ok(Self(Some(Arc::new(drawing, GFP_KERNEL_ACCOUNT)?)))
    }
}

impl Deref for SharedDrawing {
    type Target = Drawing;
    fn deref(&self) -> &Drawing {
        self.0.as_deref().unwrap_or(&BALANCED)
    }
}

static BALANCED: Drawing = Drawing {
    sampling: uapi_sampling(wall::Sampling::BALANCED),
    samplers: uapi_samplers(wall::Samplers::OFF),
    biases: Wiped::new(),
};

/// A member of CONFIGURE that is outside its range.
pub(crate) struct Refused {
    /// Its place in `struct sislm_configure`.
    pub(crate) place: usize,
    /// The least value it may have.
    pub(crate) least: i64,
    /// The largest.
    pub(crate) most: i64,
}

impl Drawing {
    /// As the request asks for, or what of it is outside its range, which the engine knows.
    pub(crate) fn new(
        section: &mut Section,
        request: &Configure,
    ) -> Result<core::result::Result<Self, Refused>> {
        if request.bias_count > wall::BIASES_MAX {
            return Ok(Err(Refused {
                place: offset_of!(Configure, bias_count),
                least: 0,
                most: wall::BIASES_MAX.into(),
            }));
        }
        let mut biases = Wiped::zeroed(request.bias_count as usize)?;
        user::read_array(request.biases, 0, &mut biases)?;
        let refused = check(section, &request.sampling, &request.samplers, &biases)?;
        Ok(match refused {
            Some(refused) => Err(refused),
            None => Ok(Self {
                sampling: request.sampling,
                samplers: request.samplers,
                biases,
            }),
        })
    }

    /// SHA-256 of it.
    pub(crate) fn digest(&self) -> [u8; DIGEST_BYTES] {
        let mut hash = Sha256::new();
        hash.update(user::bytes_of(&self.sampling));
        hash.update(user::bytes_of(&self.samplers));
        hash.update(user::bytes_of_slice(&self.biases));
        hash.finish()
    }

    /// Whether one of the tokens is left that can be drawn under a mask: a bit for each.
    pub(crate) fn leaves_of(&self, mask: &[u32]) -> bool {
        let is_allowed = |id: u32| {
            let word = mask.get((id / u32::BITS) as usize);
            word.is_some_and(|word| word >> (id % u32::BITS) & 1 != 0)
        };
        let banned = |bias: &&Bias| bias.bias == wall::BIAS_BANNED && is_allowed(bias.id);
        let allowed = mask.iter().map(|word| word.count_ones() as usize);
        allowed.fold(0, usize::saturating_add) > self.biases.iter().filter(banned).count()
    }

    /// Whether all its tokens are in a vocabulary of so many, and one is left that can be drawn.
    pub(crate) fn fits(&self, vocabulary: u32) -> bool {
        let banned = |bias: &&Bias| bias.bias == wall::BIAS_BANNED;
        self.biases.iter().all(|bias| bias.id < vocabulary)
            && self.biases.iter().filter(banned).count() < vocabulary as usize
    }
}

/// What is outside its range, if anything is.
fn check(
    section: &mut Section,
    sampling: &Sampling,
    samplers: &Samplers,
    biases: &[Bias],
) -> Result<Option<Refused>> {
    let mut refused = wall::OutOfRange {
        part: 0,
        offset: 0,
        least: 0,
        most: 0,
    };
    let count = u32::try_from(biases.len()).map_err(|_| EINVAL)?;
    let code = section.enter(|_| {
        // SAFETY: Structures as the engine has them, and a place of our own.
        unsafe {
            wall::sislm_engine_sampling_check(
                ptr::from_ref(sampling).cast(),
                ptr::from_ref(samplers).cast(),
                biases.as_ptr().cast(),
                count,
                &mut refused,
            )
        }
    });
    let offset = refused.offset as usize;
    match status(code) {
        Ok(_) => Ok(None),
        Err(Fault::Refused) => Ok(Some(Refused {
            place: match refused.part {
                wall::part::SAMPLING => offset_of!(Configure, sampling).saturating_add(offset),
                wall::part::SAMPLERS => offset_of!(Configure, samplers).saturating_add(offset),
                _ => offset_of!(Configure, biases),
            },
            least: refused.least,
            most: refused.most,
        })),
        Err(fault) => Err(fault.into()),
    }
}

const fn uapi_sampling(from: wall::Sampling) -> Sampling {
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
}

const fn uapi_samplers(from: wall::Samplers) -> Samplers {
    Samplers {
        dry_multiplier: from.dry_multiplier,
        dry_base: from.dry_base,
        dry_allowed_length: from.dry_allowed_length,
        dry_last: from.dry_last,
        top_n_sigma: from.top_n_sigma,
        xtc_probability: from.xtc_probability,
        xtc_threshold: from.xtc_threshold,
        dynatemp_range: from.dynatemp_range,
        dynatemp_exponent: from.dynatemp_exponent,
        mirostat: from.mirostat,
        mirostat_tau: from.mirostat_tau,
        mirostat_eta: from.mirostat_eta,
        breaker_count: from.breaker_count,
        pad: from.pad,
        breaker_length: from.breaker_length,
        breaker: from.breaker,
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
            limit: 0,
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

    /// Draws a token, of those whose bit is set in `mask` unless that is empty; `history` holds the
    /// tokens of the context, oldest first. `pause` is called between sections.
    pub(crate) fn sample(
        &mut self,
        section: &mut Section,
        logits: &Logits<'_>,
        (drawing, mask): (&Drawing, &[u32]),
        history: &[u32],
        generator: &mut Generator,
        mut pause: impl FnMut(),
    ) -> Result<u32> {
        // CAST: Checked when it was made.
        let biases = drawing.biases.len() as u32;
        let count = u32::try_from(history.len()).map_err(|_| EINVAL)?;
        let vocabulary = logits.bytes().len() / size_of::<f32>();
        let allowed = match mask.len() {
            0 => ptr::null(),
            words if words == vocabulary.div_ceil(u32::BITS as usize) => mask.as_ptr(),
            _ => return Err(EINVAL),
        };
        let mut token = 0;
        let work = self.work.base();
        let (bytes, model) = (self.work.len(), engine_pointer(&self.model));
        let code = section.enter(|_| {
            // SAFETY: The workspace is ours; the rest is borrowed until the end, and was checked.
            unsafe {
                wall::sislm_engine_sample_begin(
                    work,
                    bytes,
                    model,
                    logits.bytes().as_ptr(),
                    ptr::from_ref(&drawing.sampling).cast(),
                    ptr::from_ref(&drawing.samplers).cast(),
                    drawing.biases.as_ptr().cast(),
                    biases,
                    history.as_ptr(),
                    count,
                    allowed,
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
