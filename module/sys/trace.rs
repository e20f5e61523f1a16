// SPDX-License-Identifier: GPL-2.0
//! The tracepoints of `module/trace/sislm_trace.h` as safe functions: one nop each while nobody listens.
//!
//! None is called inside a NEON section: a probe may run anything.

use super::{task::assert_outside_section, uapi::NAME_BYTES};
use kernel::prelude::*;

/// Defines a function for a tracepoint, whose C names are given.
macro_rules! tracepoint {
    ($(#[$meta:meta])* $visible:vis $name:ident, $point:ident, $call:ident, ($($argument:ident: $type:ty),*)) => {
        $(#[$meta])*
        #[inline(always)]
        $visible fn $name($($argument: $type),*) {
            #[cfg(CONFIG_TRACEPOINTS)]
            {
                extern "C" {
                    static $point: kernel::bindings::tracepoint;
                    fn $call($($argument: $type),*);
                }
                // SAFETY: The key of a tracepoint may be asked at any time.
                let listened = unsafe {
                    kernel::jump_label::static_branch_unlikely!($point, kernel::bindings::tracepoint, key)
                };
                if listened {
                    assert_outside_section();
                    // SAFETY: Integers, and a string that ends with NUL, which the probe copies.
                    unsafe { $call($($argument),*) };
                }
            }
            #[cfg(not(CONFIG_TRACEPOINTS))]
            {
                let _ = ($($argument,)*);
            }
        }
    };
}

tracepoint! {
    /// As [`turn_begin`].
    turn_begin_of, __tracepoint_turn_begin, rust_do_trace_turn_begin,
    (session: u64, turn: u64, model: *const c_char, prompt: u32, reused: u32)
}

tracepoint! {
    /// A step of so many rows and turns of a model, by the number of its load, is done: from its start to its end,
    /// and the computing time of all.
    pub(crate) step, __tracepoint_step, rust_do_trace_step,
    (model: u64, rows: u32, turns: u32, wall_ns: u64, cpu_ns: u64)
}

tracepoint! {
    /// A turn has `count` ids of its answer.
    pub(crate) token, __tracepoint_token, rust_do_trace_token,
    (session: u64, turn: u64, count: u32)
}

tracepoint! {
    /// A turn is over.
    pub(crate) turn_end, __tracepoint_turn_end, rust_do_trace_turn_end,
    (session: u64, turn: u64, count: u32, finish: u32, cpu_ns: u64)
}

tracepoint! {
    /// As [`swap`].
    swap_of, __tracepoint_swap, rust_do_trace_swap,
    (alias: *const c_char, generation: u64)
}

tracepoint! {
    /// An answer of one load's model is compared with what another's has instead: so many tokens of it, of how many both
    /// find the same one the most likely, and the time of all that.
    pub(crate) shadow, __tracepoint_shadow, rust_do_trace_shadow,
    (primary: u64, shadow: u64, tokens: u32, equal: u32, ns: u64)
}

/// The alias of this name means something else from its change of this number on.
pub(crate) fn swap(alias: &[u8; NAME_BYTES], generation: u64) {
    swap_of(alias.as_ptr().cast(), generation);
}

tracepoint! {
    /// As [`select`].
    select_of, __tracepoint_select, rust_do_trace_select,
    (session: u64, model: *const c_char, choice: u32, candidates: u32)
}

/// The model of this name was chosen for a file among so many: `SISLM_CHOICE_*`.
pub(crate) fn select(session: u64, model: &[u8; NAME_BYTES], choice: u32, candidates: u32) {
    select_of(session, model.as_ptr().cast(), choice, candidates);
}

/// A turn begins on the model of this name: so many ids of its prompt, and positions kept from before.
pub(crate) fn turn_begin(
    session: u64,
    turn: u64,
    model: &[u8; NAME_BYTES],
    prompt: u32,
    reused: u32,
) {
    turn_begin_of(session, turn, model.as_ptr().cast(), prompt, reused);
}
