// SPDX-License-Identifier: GPL-2.0
//! The mean of hidden states.

use anyhow::{Result, ensure};

use super::status::done;
use super::*;

/// Sums of hidden states, and their number.
pub struct Mean {
    sums: Vec<f64>,
    count: u32,
}

impl Mean {
    /// Of hidden states of `width` values.
    pub fn new(width: usize) -> Self {
        Self {
            sums: vec![0.0; width],
            count: 0,
        }
    }

    /// Adds a hidden state.
    pub fn add(&mut self, state: &[f32]) -> Result<()> {
        ensure!(state.len() == self.sums.len(), "a state of another width");
        let width = u32::try_from(state.len())?;
        // SAFETY: As many values as there are sums, both alive.
        done(unsafe {
            let sums = self.sums.as_mut_ptr().cast();
            sislm_engine_pool_add(sums, state.as_ptr().cast(), width)
        })?;
        self.count += 1;
        Ok(())
    }

    /// The mean.
    pub fn finish(&self) -> Result<Vec<f32>> {
        let mut mean = vec![0.0f32; self.sums.len()];
        let width = u32::try_from(mean.len())?;
        // SAFETY: As many values as there are sums, both alive.
        done(unsafe {
            let out = mean.as_mut_ptr().cast();
            sislm_engine_pool_mean(out, self.sums.as_ptr().cast(), width, self.count)
        })?;
        Ok(mean)
    }
}
