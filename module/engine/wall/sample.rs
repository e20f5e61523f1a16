// SPDX-License-Identifier: GPL-2.0
//! The wall's functions that draw tokens.

use crate::abi::{self, DONE, fault};
use crate::sampling::memory::Memory;
use crate::sampling::{Generator, Parameters, Progress, Sampler};

use super::workspace::{SAMPLER, Shape, Work, numbers, status};

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
/// `sampling` is valid and `refused` valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_sampling_check(
    sampling: *const abi::Sampling,
    refused: *mut abi::OutOfRange,
) -> i32 {
    // SAFETY: The caller's promise.
    match Parameters::new(unsafe { &*sampling }) {
        Ok(_) => DONE,
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
    let Ok(parameters) = Parameters::new(sampling) else {
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
