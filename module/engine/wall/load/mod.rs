// SPDX-License-Identifier: GPL-2.0
//! The wall's functions for loading a model.

mod data;
mod header;
mod state;

pub use crate::wall::load::data::*;
pub use crate::wall::load::header::*;

use crate::abi::Refusal;
use crate::abi::fault;
use crate::gguf;
use crate::model::load::Failure;

/// Status of a call that can refuse the file; writes the refusal.
///
/// # Safety
///
/// `refusal` is valid for a write.
unsafe fn status(result: Result<i32, Failure>, refusal: *mut Refusal) -> i32 {
    match result {
        Ok(status) => status,
        Err(Failure::Misuse) => fault::ARGUMENT,
        Err(Failure::Refused(reason)) => {
            // SAFETY: The caller's promise.
            unsafe { refuse(reason, refusal) }
        }
    }
}

/// Writes a refusal.
///
/// # Safety
///
/// `refusal` is valid for a write.
unsafe fn refuse(reason: gguf::Refusal, refusal: *mut Refusal) -> i32 {
    let told = Refusal {
        reason: reason.reason as u32,
        kind: reason.kind as u32,
        detail: reason.detail,
        subject: reason.subject,
        value: reason.value,
    };
    // SAFETY: The caller's promise.
    unsafe { refusal.write(told) };
    fault::REFUSED
}
