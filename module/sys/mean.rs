// SPDX-License-Identifier: GPL-2.0
//! The mean of hidden states.

use super::{
    neon::Section,
    step::HiddenState,
    wall::{self, status},
    wiped::Wiped,
};
use kernel::prelude::*;

/// Sums of hidden states, and their number.
///
/// # Invariants
///
/// There are as many sums as places for the mean.
pub(crate) struct Mean {
    /// Bits of an f64 each.
    sums: Wiped<u64>,
    /// Bits of an f32 each.
    mean: Wiped<u32>,
    count: u32,
}

impl Mean {
    /// Of no hidden states yet, of `width` values each.
    pub(crate) fn new(width: u32) -> Result<Self> {
        // INVARIANT: `width` of both.
        Ok(Self {
            sums: Wiped::zeroed(width as usize)?,
            mean: Wiped::zeroed(width as usize)?,
            count: 0,
        })
    }

    fn width(&self) -> u32 {
        // CAST: As many as [`Mean::new`] was told.
        self.sums.len() as u32
    }

    /// Adds a hidden state.
    pub(crate) fn add(&mut self, section: &mut Section, state: &HiddenState<'_>) -> Result {
        if state.values().len() != self.sums.len() {
            return Err(EINVAL);
        }
        let (sums, state) = (
            self.sums.as_mut_ptr().cast(),
            state.values().as_ptr().cast(),
        );
        let width = self.width();
        let code = section.enter(|_| {
            // SAFETY: As many aligned values as sums, which are ours.
            unsafe { wall::sislm_engine_pool_add(sums, state, width) }
        });
        status(code)?;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The mean; `EINVAL` of none.
    pub(crate) fn finish(&mut self, section: &mut Section) -> Result<&[u32]> {
        let (mean, sums) = (self.mean.as_mut_ptr().cast(), self.sums.as_ptr().cast());
        let (width, count) = (self.width(), self.count);
        let code = section.enter(|_| {
            // SAFETY: As many aligned places as sums, by the invariant; both are ours.
            unsafe { wall::sislm_engine_pool_mean(mean, sums, width, count) }
        });
        status(code)?;
        Ok(&self.mean)
    }
}
