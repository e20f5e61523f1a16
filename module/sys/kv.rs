// SPDX-License-Identifier: GPL-2.0
//! Blocks of keys and values.

use super::{
    memory::{Memory, Owner},
    wall::BLOCK_POSITIONS,
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc, //
    },
};

/// How many bytes and blocks of keys and values one model's sequences may hold and do hold.
pub(crate) struct KvPool {
    limit: u64,
    bytes: Atomic<u64>,
}

impl KvPool {
    /// With a limit in bytes.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit,
            bytes: Atomic::new(0),
        }
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    fn charge(&self, bytes: u64) -> Result {
        let before = self.bytes.fetch_add(bytes, Full);
        if before.saturating_add(bytes) > self.limit {
            self.bytes.fetch_sub(bytes, Full);
            return Err(super::errno::EDQUOT());
        }
        Ok(())
    }
}

/// One block: [`BLOCK_POSITIONS`] positions of all layers.
struct Block {
    memory: Memory,
    pool: Arc<KvPool>,
}

impl Drop for Block {
    fn drop(&mut self) {
        self.pool.bytes.fetch_sub(self.memory.len() as u64, Full);
    }
}

/// The blocks of one sequence, positions ascending. It never changes: a longer one shares the blocks.
///
/// # Invariants
///
/// `addresses` are those of `blocks`, each of the size that the engine gave for `kv_type`.
pub(crate) struct BlockTable {
    blocks: KVVec<Arc<Block>>,
    addresses: KVVec<*mut u8>,
    kv_type: u32,
}

// SAFETY: The addresses are those of `blocks`, which may go anywhere.
unsafe impl Send for BlockTable {}
// SAFETY: The table is not changed; the blocks are accessed by the engine alone, in steps.
unsafe impl Sync for BlockTable {}

impl BlockTable {
    /// `old` (none when empty) with blocks added until it holds `positions`.
    ///
    /// The memory is charged to the calling task. `EDQUOT`: over the pool's limit.
    pub(crate) fn extended(
        old: Option<&BlockTable>,
        positions: u32,
        kv_type: u32,
        block_bytes: u64,
        pool: &Arc<KvPool>,
    ) -> Result<Self> {
        let count = positions.div_ceil(BLOCK_POSITIONS) as usize;
        let mut table = Self {
            blocks: KVVec::with_capacity(count, GFP_KERNEL)?,
            addresses: KVVec::with_capacity(count, GFP_KERNEL)?,
            kv_type,
        };
        for block in old.into_iter().flat_map(|old| old.blocks.iter()) {
            table.push(block.clone())?;
        }
        while table.blocks.len() < count {
            super::task::interrupted_by_death()?;
            let bytes = usize::try_from(block_bytes).map_err(|_| ENOMEM)?;
            pool.charge(bytes.max(1) as u64)?;
            let memory = Memory::new(bytes, Owner::Session).inspect_err(|_| {
                pool.bytes.fetch_sub(bytes.max(1) as u64, Full);
            })?;
            let block = Block {
                memory,
                pool: pool.clone(),
            };
            table.push(Arc::new(block, GFP_KERNEL)?)?;
        }
        Ok(table)
    }

    fn push(&mut self, block: Arc<Block>) -> Result {
        // INVARIANT: The address is pushed with its block.
        self.addresses.push(block.memory.base(), GFP_KERNEL)?;
        self.blocks.push(block, GFP_KERNEL)?;
        Ok(())
    }

    /// Positions it holds.
    pub(crate) fn positions(&self) -> u32 {
        u32::try_from(self.blocks.len())
            .unwrap_or(u32::MAX)
            .saturating_mul(BLOCK_POSITIONS)
    }

    /// Blocks.
    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// `SISLM_KV_*`.
    pub(super) fn kv_type(&self) -> u32 {
        self.kv_type
    }

    /// The addresses, for the engine.
    pub(super) fn addresses(&self) -> *const *mut u8 {
        self.addresses.as_ptr()
    }
}
