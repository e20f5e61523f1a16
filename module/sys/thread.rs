// SPDX-License-Identifier: GPL-2.0
//! Kernel threads.

use super::task;
use core::ptr::NonNull;
use kernel::{
    bindings,
    error::from_err_ptr,
    prelude::*,
    sync::Arc, //
};

/// What a thread does.
pub(crate) trait Body: Send + Sync + 'static {
    /// Runs until [`should_stop`].
    fn run(&self);
}

/// A running kernel thread; dropping it stops and joins it.
///
/// # Invariants
///
/// `task` is a live kernel thread that refers to `start` until it is joined.
pub(crate) struct Thread<T: Body> {
    task: NonNull<bindings::task_struct>,
    _start: KBox<Start<T>>,
}

struct Start<T> {
    body: Arc<T>,
}

// SAFETY: A thread may be stopped from any task.
unsafe impl<T: Body> Send for Thread<T> {}
// SAFETY: A shared reference gives access to nothing.
unsafe impl<T: Body> Sync for Thread<T> {}

/// Whether the calling kernel thread is asked to end.
pub(crate) fn should_stop() -> bool {
    // SAFETY: Called by the body of a `Thread`, which is a kernel thread.
    unsafe { bindings::kthread_should_stop() }
}

/// The function of a thread.
///
/// # Safety
///
/// `data` is the [`Start`] of a [`Thread`] that joins this one before it frees it.
unsafe extern "C" fn entry<T: Body>(data: *mut c_void) -> c_int {
    // SAFETY: By the requirement of this function.
    let start = unsafe { &*data.cast::<Start<T>>() };
    task::set_freezable();
    start.body.run();
    // Not before kthread_stop(): nobody else holds a reference to the task.
    while !should_stop() {
        task::yield_now();
    }
    0
}

impl<T: Body> Thread<T> {
    /// Starts a thread at `nice`, bound to no CPU. The `%u` in `name`, if there is one, is `index`.
    pub(crate) fn spawn(
        body: Arc<T>,
        name: &'static CStr,
        index: u32,
        nice: isize,
    ) -> Result<Self> {
        let start = KBox::new(Start { body }, GFP_KERNEL)?;
        let data: *const Start<T> = &*start;
        // SAFETY: The name has at most one %u and gets one; `data` lives until the thread is joined.
        let task = from_err_ptr(unsafe {
            bindings::kthread_create_on_node(
                Some(entry::<T>),
                data.cast_mut().cast(),
                bindings::NUMA_NO_NODE,
                name.as_char_ptr(),
                index as c_uint,
            )
        })?;
        // SAFETY: A new thread waits for its first wake-up: it is valid.
        unsafe {
            bindings::set_user_nice(task, nice);
            bindings::wake_up_process(task);
        }
        // INVARIANT: Created and woken above.
        Ok(Self {
            task: NonNull::new(task).ok_or(ENOMEM)?,
            _start: start,
        })
    }
}

impl<T: Body> Drop for Thread<T> {
    fn drop(&mut self) {
        // SAFETY: The thread does not end before it is stopped, so the task is valid.
        unsafe { bindings::kthread_stop(self.task.as_ptr()) };
    }
}
