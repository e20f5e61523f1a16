// SPDX-License-Identifier: GPL-2.0
//! The wall's functions that score tokens.

use crate::abi::{self, DONE, fault};
use crate::sampling::{Progress, Score};

use super::workspace::{SCORE, Shape, Work, list, status};

/// See the list of the wall.
///
/// # Safety
///
/// `work` is memory of the size asked for, `model` sealed, and `logits` its vocabulary of f32 that
/// live to the end of the scoring.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_score_begin(
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
pub(super) unsafe extern "C" fn sislm_engine_score_run(
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
            list(work.header.logits, work.header.vocabulary),
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
