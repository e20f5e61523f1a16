// SPDX-License-Identifier: GPL-2.0
//! The keys and values of one sequence.

use anyhow::Result;
use sislm_engine::abi::BLOCK_POSITIONS;

use super::memory::Memory;

/// A block table; all blocks are there from the start.
pub struct Sequence {
    _blocks: Vec<Memory>,
    // INVARIANT: bases of `_blocks`.
    table: Box<[*mut u8]>,
    /// `SISLM_KV_*`.
    pub(super) kv_type: u32,
}

impl Sequence {
    /// A sequence of up to `context` positions.
    pub fn new(kv_type: u32, block_bytes: u64, context: u32) -> Result<Self> {
        let count = context.div_ceil(BLOCK_POSITIONS);
        let blocks = (0..count)
            .map(|_| Memory::new(block_bytes))
            .collect::<Result<Vec<_>>>()?;
        let table = blocks.iter().map(Memory::base).collect();
        Ok(Self {
            _blocks: blocks,
            table,
            kv_type,
        })
    }

    pub(super) fn table(&self) -> *const *mut u8 {
        self.table.as_ptr()
    }
}
