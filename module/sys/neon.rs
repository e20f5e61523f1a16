// SPDX-License-Identifier: GPL-2.0
//! The NEON section: the only place where floating point may run.
//!
//! Nothing in a section may sleep, allocate, fault, read a file or use crypto, since those may use
//! NEON themselves and sections do not nest: so only this folder opens one, around calls of the engine
//! and, while chunks are computed, what is between them.

use super::bindings;
use core::{arch::asm, marker::PhantomData};
use kernel::{bindings::user_fpsimd_state, prelude::*, types::NotThreadSafe};

/// Where the registers of a preempted section are kept: 528 bytes that must not move meanwhile, so
/// neither on the stack nor in a value that can be moved.
pub(crate) struct Section {
    state: KBox<user_fpsimd_state>,
}

// SAFETY: The buffer is plain memory, used by one task at a time through `&mut self`.
unsafe impl Send for Section {}

/// Proof of being inside a section.
pub(crate) struct Inside<'a> {
    _section: PhantomData<&'a mut Section>,
    _task: NotThreadSafe,
}

impl Section {
    /// Takes the memory of a section.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            state: KBox::new(user_fpsimd_state::default(), GFP_KERNEL_ACCOUNT)?,
        })
    }

    /// Runs `body` inside the section. Task context only; `body` calls the engine, and else nothing
    /// that this module's head forbids.
    pub(super) fn enter<R>(&mut self, body: impl FnOnce(&Inside<'_>) -> R) -> R {
        super::task::assert_outside_section();
        let state: *mut user_fpsimd_state = &mut *self.state;
        // SAFETY: Task context; the buffer is heap memory borrowed until the end of this function.
        // FPCR holds whatever ran before on this CPU: the numerics contract wants it zero.
        unsafe {
            bindings::kernel_neon_begin(state);
            asm!("msr s3_3_c4_c4_0, xzr", options(nostack));
        }
        let result = body(&Inside {
            _section: PhantomData,
            _task: NotThreadSafe,
        });
        // SAFETY: The section was begun above by this task with this buffer.
        unsafe { bindings::kernel_neon_end(state) };
        result
    }
}
