// SPDX-License-Identifier: GPL-2.0
//! The current task.

/// Whether another task should run: never, so that a section ends by its limit alone.
pub(crate) fn need_resched() -> bool {
    false
}

/// Preemption is of no consequence here: loom switches tasks wherever it matters.
pub(crate) struct Unpreempted;

impl Unpreempted {
    /// From here on.
    pub(crate) fn new() -> Self {
        Self
    }
}

/// Its class.
pub(crate) fn class() -> u32 {
    0
}
