// SPDX-License-Identifier: GPL-2.0
//! The keys and values of one sequence.

use anyhow::Result;
use sislm_engine::abi::{ADAPTERS_MAX, BLOCK_POSITIONS};

use super::memory::Memory;
use super::step::Step;

/// A block table; all blocks are there from the start.
pub struct Sequence {
    _blocks: Vec<Memory>,
    /// What it carries from position to position, where the model has that.
    state: Option<Memory>,
    // INVARIANT: bases of `_blocks`.
    table: Box<[*mut u8]>,
    /// `SISLM_KV_*`.
    pub(super) kv_type: u32,
    /// Scale of each adapter, millionths.
    pub(super) scales: [i32; ADAPTERS_MAX],
}

impl Sequence {
    /// A sequence of up to `context` positions for `step`.
    pub fn new(kv_type: u32, step: &Step<'_>, context: u32) -> Result<Self> {
        Self::scaled(kv_type, step, context, step.scales())
    }

    /// A sequence whose rows have these scales of the adapters, in millionths.
    pub fn scaled(
        kv_type: u32,
        step: &Step<'_>,
        context: u32,
        scales: [i32; ADAPTERS_MAX],
    ) -> Result<Self> {
        let count = context.div_ceil(BLOCK_POSITIONS);
        let blocks = (0..count)
            .map(|_| Memory::new(step.kv_block_bytes))
            .collect::<Result<Vec<_>>>()?;
        let state = match step.state_bytes {
            0 => None,
            bytes => Some(Memory::new(bytes)?),
        };
        let table = blocks.iter().map(Memory::base).collect();
        Ok(Self {
            _blocks: blocks,
            state,
            table,
            kv_type,
            scales,
        })
    }

    pub(super) fn table(&self) -> *const *mut u8 {
        self.table.as_ptr()
    }

    pub(super) fn state(&self) -> *mut u8 {
        self.state
            .as_ref()
            .map_or(std::ptr::null_mut(), Memory::base)
    }
}
