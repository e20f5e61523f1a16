// SPDX-License-Identifier: GPL-2.0
//! The wall's functions from logits to tokens.

use core::mem::{MaybeUninit, size_of};

use crate::abi::{self, ALIGN, DONE, MORE, fault};
use crate::sampling::sampler::Memory;
use crate::sampling::{
    Candidate, Fault, Generator, Millionths, Parameters, Progress, Sampler, Score,
};

use super::model::loaded;
use super::pod::{Pod, cast_mut};

// SAFETY: A transparent u64, every value of which is a candidate.
unsafe impl Pod for Candidate {}

/// Bytes of the header of the workspace.
const HEADER: usize = size_of::<Header>().next_multiple_of(ALIGN);

/// Which machine a workspace holds.
const SAMPLER: u32 = 1;
const SCORE: u32 = 2;

/// Start of the workspace; behind it the window (context u32) and the candidates (vocabulary).
#[repr(C)]
struct Header {
    /// [`SAMPLER`], [`SCORE`], or 0 for none: zeroed memory.
    machine: u32,
    /// Candidates asked for.
    top: u32,
    window: usize,
    logits: *const f32,
    vocabulary: usize,
    work_bytes: usize,
    sampler: MaybeUninit<Sampler>,
    score: MaybeUninit<Score>,
}

/// Vocabulary and longest context of a model.
#[derive(Clone, Copy)]
struct Shape {
    vocabulary: usize,
    context: usize,
}

impl Shape {
    /// # Safety
    ///
    /// `model` is a sealed model.
    unsafe fn of(model: *const u8) -> Option<Shape> {
        if model.is_null() {
            return None;
        }
        // SAFETY: The caller's promise.
        let shape = unsafe { &loaded(model)?.model.shape };
        Some(Shape {
            vocabulary: shape.vocabulary as usize,
            context: shape.context as usize,
        })
    }

    fn window_bytes(self) -> Option<usize> {
        self.context.checked_mul(4)?.checked_next_multiple_of(ALIGN)
    }

    fn bytes(self) -> Option<usize> {
        let candidates = self.vocabulary.checked_mul(size_of::<Candidate>())?;
        HEADER
            .checked_add(self.window_bytes()?)?
            .checked_add(candidates)
    }
}

/// A workspace, cut.
struct Work<'a> {
    header: &'a mut Header,
    window: &'a mut [u32],
    candidates: &'a mut [Candidate],
}

impl<'a> Work<'a> {
    /// Cuts a workspace for a shape; `None` when it is too short.
    ///
    /// # Safety
    ///
    /// `work` points at `bytes` initialized bytes, exclusive to the caller for `'a`, zeroed or left
    /// by these functions.
    unsafe fn new(work: *mut u8, bytes: usize, shape: Shape) -> Option<Self> {
        let needed = shape.bytes()?;
        if work.is_null() || !work.addr().is_multiple_of(ALIGN) || bytes < needed {
            return None;
        }
        // SAFETY: Long enough and aligned; any bytes are a valid `Header`; the two do not overlap.
        let (header, rest) = unsafe {
            let rest = core::slice::from_raw_parts_mut(work.wrapping_add(HEADER), needed - HEADER);
            (&mut *work.cast::<Header>(), rest)
        };
        let (window, rest) = rest.split_at_mut_checked(shape.window_bytes()?)?;
        Some(Self {
            header,
            window: cast_mut(window)?,
            candidates: cast_mut(rest)?,
        })
    }

    /// Cuts a workspace that was begun.
    ///
    /// # Safety
    ///
    /// As [`Work::new`], with a workspace `new` has seen.
    unsafe fn again(work: *mut u8, machine: u32) -> Option<Self> {
        if work.is_null() || !work.addr().is_multiple_of(ALIGN) {
            return None;
        }
        // SAFETY: The caller's promise.
        let header = unsafe { &*work.cast::<Header>() };
        if header.machine != machine {
            return None;
        }
        let shape = Shape {
            vocabulary: header.vocabulary,
            context: header.window,
        };
        let bytes = header.work_bytes;
        // SAFETY: The caller's promise; the borrow above has ended.
        unsafe { Self::new(work, bytes, shape) }
    }

    /// Notes what was begun.
    fn begun(&mut self, machine: u32, shape: Shape, logits: *const u8, work_bytes: usize) {
        self.header.machine = machine;
        self.header.logits = logits.cast();
        self.header.vocabulary = shape.vocabulary;
        self.header.window = shape.context;
        self.header.work_bytes = work_bytes;
    }
}

/// The logits of a model.
///
/// # Safety
///
/// `logits` points at `vocabulary` numbers that live and do not change for `'a`, or is null.
unsafe fn numbers<'a>(logits: *const f32, vocabulary: usize) -> Option<&'a [f32]> {
    if logits.is_null() || !logits.is_aligned() {
        return None;
    }
    // SAFETY: The caller's promise.
    Some(unsafe { core::slice::from_raw_parts(logits, vocabulary) })
}

fn status(result: Result<Progress, Fault>) -> i32 {
    match result {
        Ok(Progress::Done) => DONE,
        Ok(Progress::More) => MORE,
        Err(Fault::Numeric) => fault::NUMERIC,
        Err(Fault::Argument) => fault::ARGUMENT,
    }
}

fn millionths(from: &abi::Sampling) -> Millionths {
    Millionths {
        temperature: from.temperature,
        top_k: from.top_k,
        top_p: from.top_p,
        min_p: from.min_p,
        typical_p: from.typical_p,
        repeat_penalty: from.repeat_penalty,
        repeat_last: from.repeat_last,
        presence_penalty: from.presence_penalty,
        frequency_penalty: from.frequency_penalty,
    }
}

/// See the list of the wall.
///
/// # Safety
///
/// `model` is sealed and `size` valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_sample_size(model: *const u8, size: *mut u64) -> i32 {
    // SAFETY: The caller's promise.
    let Some(bytes) = unsafe { Shape::of(model) }.and_then(Shape::bytes) else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promise.
    unsafe { size.write(bytes as u64) };
    DONE
}

/// See the list of the wall.
///
/// # Safety
///
/// `generator` is valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_generator(generator: *mut abi::Generator, seed: u64) -> i32 {
    let Generator { state, stream } = Generator::new(seed);
    // SAFETY: The caller's promise.
    unsafe { generator.write(abi::Generator { state, stream }) };
    DONE
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` is memory of the size asked for, `model` sealed, `logits` its vocabulary of f32 that live
/// to the end of the draw, `sampling` valid, and `history` holds `count` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_sample_begin(
    work: *mut u8,
    work_bytes: usize,
    model: *const u8,
    logits: *const u8,
    sampling: *const abi::Sampling,
    history: *const u32,
    count: u32,
) -> i32 {
    // SAFETY: The caller's promises.
    let (shape, sampling) = unsafe { (Shape::of(model), &*sampling) };
    let Some(shape) = shape else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promises.
    let parts = unsafe {
        (
            Work::new(work, work_bytes, shape),
            numbers(logits.cast(), shape.vocabulary),
        )
    };
    let (Some(mut work), Some(logits_view)) = parts else {
        return fault::ARGUMENT;
    };
    let Some(parameters) = Parameters::new(&millionths(sampling)) else {
        return fault::ARGUMENT;
    };
    if count != 0 && history.is_null() {
        return fault::ARGUMENT;
    }
    let history = match count {
        0 => &[],
        // SAFETY: The caller's promise.
        count => unsafe { core::slice::from_raw_parts(history, count as usize) },
    };
    let mut memory = Memory {
        logits: logits_view,
        window: &mut *work.window,
        candidates: &mut *work.candidates,
    };
    match Sampler::new(parameters, &mut memory, history) {
        Ok(sampler) => {
            work.header.sampler.write(sampler);
            work.begun(SAMPLER, shape, logits, work_bytes);
            DONE
        }
        Err(refused) => status(Err(refused)),
    }
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` was begun with `sample_begin`, its logits live, and the others are valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_sample_run(
    work: *mut u8,
    budget: u32,
    generator: *mut abi::Generator,
    token: *mut u32,
) -> i32 {
    // SAFETY: The caller's promise.
    let Some(work) = (unsafe { Work::again(work, SAMPLER) }) else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promises; `machine` says that the sampler was written.
    let (logits, sampler, from) = unsafe {
        (
            numbers(work.header.logits, work.header.vocabulary),
            work.header.sampler.assume_init_mut(),
            &mut *generator,
        )
    };
    let Some(logits) = logits else {
        return fault::ARGUMENT;
    };
    let mut memory = Memory {
        logits,
        window: work.window,
        candidates: work.candidates,
    };
    let mut generator = Generator {
        state: from.state,
        stream: from.stream,
    };
    let result = sampler.run(&mut memory, budget, &mut generator);
    from.state = generator.state;
    if result == Ok(Progress::Done) {
        // SAFETY: The caller's promise.
        unsafe { token.write(sampler.token()) };
    }
    status(result)
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` is memory of the size asked for, `model` sealed, and `logits` its vocabulary of f32 that
/// live to the end of the scoring.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_score_begin(
    work: *mut u8,
    work_bytes: usize,
    model: *const u8,
    logits: *const u8,
    target: u32,
    top: u32,
) -> i32 {
    // SAFETY: The caller's promise.
    let Some(shape) = (unsafe { Shape::of(model) }) else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promise.
    let Some(mut work) = (unsafe { Work::new(work, work_bytes, shape) }) else {
        return fault::ARGUMENT;
    };
    let target = (target != !0).then_some(target);
    match Score::new(shape.vocabulary, target, top as usize) {
        Ok(score) => {
            work.header.score.write(score);
            work.header.top = top;
            work.begun(SCORE, shape, logits, work_bytes);
            DONE
        }
        Err(refused) => status(Err(refused)),
    }
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` was begun with `score_begin`, its logits live, `target` is valid for writing, and
/// `candidates` for `top` entries.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_score_run(
    work: *mut u8,
    budget: u32,
    target: *mut i32,
    candidates: *mut abi::Candidate,
) -> i32 {
    // SAFETY: The caller's promise.
    let Some(work) = (unsafe { Work::again(work, SCORE) }) else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promises; `machine` says that the score was written.
    let (logits, score) = unsafe {
        (
            numbers(work.header.logits, work.header.vocabulary),
            work.header.score.assume_init_mut(),
        )
    };
    let Some(logits) = logits else {
        return fault::ARGUMENT;
    };
    let result = score.run(logits, work.candidates, budget);
    if result == Ok(Progress::Done) {
        // SAFETY: The caller's promise.
        unsafe { target.write(score.target(logits)) };
        for rank in 0..work.header.top as usize {
            let (id, log_probability) = score.top(work.candidates, rank).unwrap_or((!0, i32::MIN));
            // SAFETY: The caller's promise: `top` entries.
            unsafe {
                candidates.add(rank).write(abi::Candidate {
                    id,
                    log_probability,
                })
            };
        }
    }
    status(result)
}
