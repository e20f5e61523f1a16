// SPDX-License-Identifier: GPL-2.0
//! The kernel's spinlock over loom's mutex.

use crate::prelude::PinInit;
use loom::sync::{Mutex, MutexGuard};

/// A lock of one value.
pub struct SpinLock<T>(Mutex<T>);

/// The locked value.
pub type Guard<'a, T> = MutexGuard<'a, T>;

impl<T> SpinLock<T> {
    /// Unlocked.
    pub fn new(value: impl PinInit<T>) -> Self {
        Self(Mutex::new(value.init()))
    }

    /// Waits until nobody has it.
    pub fn lock(&self) -> Guard<'_, T> {
        self.0.lock().expect("no task panics with a lock")
    }
}
