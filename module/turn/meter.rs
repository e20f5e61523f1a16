// SPDX-License-Identifier: GPL-2.0
//! What an open file has used, and has, for who looks while it is in use.

use kernel::sync::atomic::{Atomic, Relaxed};

/// Kept up to date by who computes; read without a lock.
pub(crate) struct Meter {
    engine_ns: Atomic<u64>,
    kv_bytes: Atomic<u64>,
}

impl Meter {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self {
            engine_ns: Atomic::new(0),
            kv_bytes: Atomic::new(0),
        }
    }

    /// Adds what a step has cost its turn: its share of the computing time, and its logits.
    pub(crate) fn charge(&self, ns: u64) {
        self.engine_ns.fetch_add(ns, Relaxed);
    }

    /// Computing time that it has cost, nanoseconds.
    pub(crate) fn engine_ns(&self) -> u64 {
        self.engine_ns.load(Relaxed)
    }

    /// Notes the memory of the keys and values that its turn has.
    pub(crate) fn note_kv(&self, bytes: u64) {
        self.kv_bytes.store(bytes, Relaxed);
    }

    /// That memory, as it was noted last.
    pub(crate) fn kv_bytes(&self) -> u64 {
        self.kv_bytes.load(Relaxed)
    }
}
