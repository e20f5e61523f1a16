// SPDX-License-Identifier: GPL-2.0
//! Mutexes whose holder may be a task that is seldom let run: nobody waits in a sleep that nothing ends.

use super::bindings as sys;
use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        lock::{mutex::MutexBackend, Guard},
        Mutex, //
    },
    time::{delay::fsleep, Delta},
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

/// Locks `mutex`, also when the task is being killed: then it looks now and again, since one long sleep
/// would be reported as a hang.
pub(crate) fn lock_always<T>(mutex: &Mutex<T>) -> Guard<'_, T, MutexBackend> {
    loop {
        if let Ok(guard) = lock_killable(mutex) {
            return guard;
        }
        if let Some(guard) = mutex.try_lock() {
            return guard;
        }
        fsleep(Delta::from_millis(10));
    }
}
