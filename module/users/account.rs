// SPDX-License-Identifier: GPL-2.0
//! What is in use of the device: by a user, within a cgroup namespace, or by all.

use kernel::sync::atomic::{Atomic, Full, Relaxed};

/// Something of which a number is in use.
pub(crate) struct Usage(Atomic<u64>);

impl Usage {
    /// None.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Adds `amount`; what there was before.
    pub(crate) fn add(&self, amount: u64) -> u64 {
        self.0.fetch_add(amount, Full)
    }

    /// Takes back what [`Usage::add`] added.
    pub(crate) fn subtract(&self, amount: u64) {
        self.0.fetch_sub(amount, Full);
    }

    /// What there is.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What is counted.
pub(crate) struct Account {
    /// Open files.
    pub(crate) sessions: Usage,
    /// Bytes of keys and values.
    pub(crate) kv_bytes: Usage,
    /// Bytes of prompts that wait.
    pub(crate) prompt_bytes: Usage,
}

impl Account {
    /// Nothing.
    pub(crate) const fn new() -> Self {
        Self {
            sessions: Usage::new(),
            kv_bytes: Usage::new(),
            prompt_bytes: Usage::new(),
        }
    }

    /// Whether something is in use.
    pub(crate) fn is_used(&self) -> bool {
        [&self.sessions, &self.kv_bytes, &self.prompt_bytes]
            .iter()
            .any(|usage| usage.get() != 0)
    }
}
