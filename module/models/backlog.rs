// SPDX-License-Identifier: GPL-2.0
//! What is under way on a model.

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc,
    },
};

/// Counts of a model.
pub(crate) struct Backlog {
    turns: Atomic<u32>,
    rows: Atomic<u32>,
}

impl Backlog {
    /// Nothing.
    pub(super) fn new() -> Result<Arc<Self>> {
        let backlog = Self {
            turns: Atomic::new(0),
            rows: Atomic::new(0),
        };
        Ok(Arc::new(backlog, GFP_KERNEL)?)
    }

    /// Turns that are not over.
    pub(super) fn turns(&self) -> u32 {
        self.turns.load(Relaxed)
    }

    /// Rows of prompts of which not all is computed.
    pub(super) fn rows(&self) -> u32 {
        self.rows.load(Relaxed)
    }
}

/// A turn, as it is counted; no longer when dropped.
pub(crate) struct Underway {
    backlog: Arc<Backlog>,
    rows: u32,
}

impl Underway {
    /// Of a turn with so many rows to compute before its first token.
    pub(crate) fn new(backlog: &Arc<Backlog>, rows: u32) -> Self {
        backlog.turns.fetch_add(1, Relaxed);
        backlog.rows.fetch_add(rows, Relaxed);
        Self {
            backlog: backlog.clone(),
            rows,
        }
    }

    /// The rows are computed.
    pub(crate) fn end_prompt(&mut self) {
        let rows = core::mem::take(&mut self.rows);
        if rows != 0 {
            self.backlog.rows.fetch_sub(rows, Relaxed);
        }
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.end_prompt();
        self.backlog.turns.fetch_sub(1, Relaxed);
    }
}
