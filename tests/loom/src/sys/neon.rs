// SPDX-License-Identifier: GPL-2.0
//! Sections without registers.

use core::marker::PhantomData;

/// Nothing to keep.
pub(crate) struct Section;

/// Proof of being inside a section.
pub(crate) struct Inside<'a>(PhantomData<&'a mut Section>);

impl Section {
    /// Runs `body` inside the section.
    pub(crate) fn enter<R>(&mut self, body: impl FnOnce(&Inside<'_>) -> R) -> R {
        body(&Inside(PhantomData))
    }
}
