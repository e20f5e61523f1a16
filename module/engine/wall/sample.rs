// SPDX-License-Identifier: GPL-2.0
//! The wall's functions that draw tokens.

use crate::abi::{self, DONE, fault};
use crate::sampling::{
    Allowed, Breakers, Carried, Generator, Given, Parameters, Progress, Sampler, check_biases,
    check_breakers,
};
use crate::tokenizer::Vocabulary;

use super::model::loaded;
use super::workspace::{DrawnFrom, SAMPLER, Shape, Work, list, status};

/// What [`abi::Generator::limit`] is before mirostat has begun.
const NO_LIMIT: u64 = !0;

/// See the list of the wall.
///
/// # Safety
///
/// `model` is sealed and `size` valid for writing.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_sample_size(model: *const u8, size: *mut u64) -> i32 {
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
/// `sampling` and `samplers` are valid, `biases` are `count`, and `refused` is valid for writing.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_sampling_check(
    sampling: *const abi::Sampling,
    samplers: *const abi::Samplers,
    biases: *const abi::Bias,
    count: u32,
    refused: *mut abi::OutOfRange,
) -> i32 {
    // SAFETY: The caller's promises.
    let (sampling, samplers, biases) =
        unsafe { (&*sampling, &*samplers, list(biases, count as usize)) };
    let Some(biases) = biases else {
        return fault::ARGUMENT;
    };
    let checked = Parameters::new(sampling, samplers)
        .and_then(|_| check_breakers(samplers))
        .and_then(|()| check_biases(biases));
    match checked {
        Ok(()) => DONE,
        Err(which) => {
            // SAFETY: The caller's promise.
            unsafe { refused.write(which) };
            fault::REFUSED
        }
    }
}

/// See the list of the wall.
///
/// # Safety
///
/// `generator` is valid for writing.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_generator(
    generator: *mut abi::Generator,
    seed: u64,
) -> i32 {
    let Generator { state, stream } = Generator::new(seed);
    let limit = NO_LIMIT;
    // SAFETY: The caller's promise.
    unsafe {
        generator.write(abi::Generator {
            state,
            stream,
            limit,
        })
    };
    DONE
}

/// What a draw depends on; `None` when something is not there.
///
/// # Safety
///
/// `logits` are one per token of the model's vocabulary, and they and all that `from` points at live
/// and do not change for `'a`; the model is sealed.
unsafe fn given<'a>(logits: *const f32, vocabulary: usize, from: &DrawnFrom) -> Option<Given<'a>> {
    let words = match from.allowed.is_null() {
        true => None,
        false => Some(vocabulary.div_ceil(32)),
    };
    // SAFETY: The caller's promises.
    let (logits, history, biases, samplers, tables, allowed) = unsafe {
        (
            list(logits, vocabulary)?,
            list(from.history, from.count)?,
            list(from.biases, from.bias_count)?,
            from.samplers.as_ref()?,
            loaded(from.model)?.vocabulary,
            match words {
                Some(words) => Allowed::new(list(from.allowed, words)?),
                None => Allowed::ALL,
            },
        )
    };
    let breakers = match samplers.breaker_count {
        0 => None,
        _ => Some(Breakers::new(samplers, Vocabulary::view(tables)?)),
    };
    Some(Given {
        logits,
        history,
        biases,
        breakers,
        allowed,
    })
}

/// See the list of the wall.
///
/// # Safety
///
/// `work` is memory of the size asked for, `model` sealed, and `logits` its vocabulary of f32.
/// `sampling`, `samplers` and the `bias_count` `biases` are valid and checked. `history` holds
/// `count` ids; `allowed` is null or a bit for each token. All but `sampling` live to the end of the draw.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_sample_begin(
    work: *mut u8,
    work_bytes: usize,
    model: *const u8,
    logits: *const u8,
    sampling: *const abi::Sampling,
    samplers: *const abi::Samplers,
    biases: *const abi::Bias,
    bias_count: u32,
    history: *const u32,
    count: u32,
    allowed: *const u32,
) -> i32 {
    let from = DrawnFrom {
        model,
        samplers,
        biases,
        bias_count: bias_count as usize,
        history,
        count: count as usize,
        allowed,
    };
    // SAFETY: The caller's promise.
    let Some(shape) = (unsafe { Shape::of(model) }) else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promises.
    let parts = unsafe {
        (
            Work::new(work, work_bytes, shape),
            given(logits.cast(), shape.vocabulary, &from),
        )
    };
    let (Some(mut work), Some(given)) = parts else {
        return fault::ARGUMENT;
    };
    // SAFETY: The caller's promises.
    let parameters = unsafe { Parameters::new(&*sampling, &*samplers) };
    let Ok(parameters) = parameters else {
        return fault::ARGUMENT;
    };
    match Sampler::new(parameters, &given, &mut work.memory()) {
        Ok(sampler) => {
            work.header.sampler.write(sampler);
            work.header.draw = from;
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
/// `work` was begun with `sample_begin`, what that was given lives, and the others are valid for
/// writing.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_sample_run(
    work: *mut u8,
    budget: u32,
    generator: *mut abi::Generator,
    token: *mut u32,
) -> i32 {
    // SAFETY: The caller's promise.
    let Some(mut work) = (unsafe { Work::again(work, SAMPLER) }) else {
        return fault::ARGUMENT;
    };
    let (logits, vocabulary, from) = (work.header.logits, work.header.vocabulary, work.header.draw);
    // SAFETY: The caller's promises; `machine` says that the sampler was written.
    let (given, (sampler, mut memory), from) = unsafe {
        (
            given(logits, vocabulary, &from),
            work.sampler(),
            &mut *generator,
        )
    };
    let Some(given) = given else {
        return fault::ARGUMENT;
    };
    let mut carried = Carried {
        generator: Generator {
            state: from.state,
            stream: from.stream,
        },
        limit: (from.limit != NO_LIMIT).then_some(f64::from_bits(from.limit)),
    };
    let result = sampler.run(&given, &mut memory, budget, &mut carried);
    from.state = carried.generator.state;
    from.limit = carried.limit.map_or(NO_LIMIT, f64::to_bits);
    if result == Ok(Progress::Done) {
        // SAFETY: The caller's promise.
        unsafe { token.write(sampler.token()) };
    }
    status(result)
}
