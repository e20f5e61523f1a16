// SPDX-License-Identifier: GPL-2.0
//! The wall's functions that make one embedding of the hidden states of a text.

use crate::abi::{DONE, fault};
use crate::step::pooling;

/// See the list of the wall.
///
/// # Safety
///
/// `sums` are `width` f64, exclusive, and `state` as many f32, both aligned.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_pool_add(
    sums: *mut u8,
    state: *const u8,
    width: u32,
) -> i32 {
    // SAFETY: The caller's promise.
    unsafe {
        let sums = core::slice::from_raw_parts_mut(sums.cast(), width as usize);
        let state = core::slice::from_raw_parts(state.cast(), width as usize);
        pooling::add(sums, state);
    }
    DONE
}

/// See the list of the wall.
///
/// # Safety
///
/// `mean` are `width` f32, exclusive, and `sums` as many f64, both aligned.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sislm_engine_pool_mean(
    mean: *mut u8,
    sums: *const u8,
    width: u32,
    count: u32,
) -> i32 {
    if count == 0 {
        return fault::ARGUMENT;
    }
    // SAFETY: The caller's promise.
    unsafe {
        let mean = core::slice::from_raw_parts_mut(mean.cast(), width as usize);
        let sums = core::slice::from_raw_parts(sums.cast(), width as usize);
        pooling::mean(mean, sums, count);
    }
    DONE
}
