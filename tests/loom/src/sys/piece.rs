// SPDX-License-Identifier: GPL-2.0
//! Pieces whose parts count who has done them.

use super::neon::Section;
use loom::sync::atomic::{AtomicU32, Ordering};

/// Parts of each.
pub(crate) const PARTS: u32 = 2;

/// A piece.
pub(crate) struct Piece {
    next: AtomicU32,
    /// Parts that are done.
    pub(crate) done: AtomicU32,
}

impl Piece {
    /// Nothing is done.
    pub(crate) fn new() -> Self {
        Self {
            next: AtomicU32::new(0),
            done: AtomicU32::new(0),
        }
    }

    /// Whether a part is free.
    pub(crate) fn available(&self) -> bool {
        self.next.load(Ordering::Relaxed) < PARTS
    }

    /// Does one part; false when none is free.
    pub(crate) fn work(&self, _: &mut Section) -> bool {
        let part = self.next.fetch_add(1, Ordering::AcqRel);
        if part >= PARTS {
            return false;
        }
        self.done.fetch_add(1, Ordering::AcqRel);
        true
    }
}
