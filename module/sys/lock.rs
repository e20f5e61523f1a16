// SPDX-License-Identifier: GPL-2.0
//! Mutexes whose waiters can be killed.

use super::bindings as sys;
use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        lock::{mutex::MutexBackend, Guard},
        Mutex, //
    },
};

/// Locks `mutex`; `EINTR` when the task is killed before it comes to that.
pub(crate) fn lock_killable<T>(mutex: &Mutex<T>) -> Result<Guard<'_, T, MutexBackend>> {
    let raw = core::ptr::from_ref(mutex).cast_mut().cast();
    // SAFETY: A `Lock` is `repr(C)` and begins with its state, a `struct mutex`, as `Lock::from_raw`
    // relies on; it is initialized and pinned.
    to_result(unsafe { sys::sislm_mutex_lock_killable(raw) })?;
    // SAFETY: Just locked by this task.
    Ok(unsafe { Guard::new(mutex, ()) })
}
