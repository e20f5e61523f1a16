// SPDX-License-Identifier: GPL-2.0
//! The kernel's `Arc` over loom's.

use crate::prelude::{Flags, PinInit, Result};

/// A counted reference.
pub struct Arc<T>(loom::sync::Arc<T>);

impl<T> Arc<T> {
    /// Of a value.
    pub fn new(value: T, _: Flags) -> Result<Self> {
        Ok(Self(loom::sync::Arc::new(value)))
    }

    /// Of what `init` makes.
    pub fn pin_init(init: impl PinInit<T>, flags: Flags) -> Result<Self> {
        Self::new(init.init(), flags)
    }

    /// Whether both refer to the same value.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        loom::sync::Arc::ptr_eq(&this.0, &other.0)
    }
}

impl<T> Clone for Arc<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> core::ops::Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
