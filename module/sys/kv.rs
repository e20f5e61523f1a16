// SPDX-License-Identifier: GPL-2.0
//! Blocks of keys and values.

use super::{
    memory::{ensure_available, Memory, Owner},
    step::Size,
    wall::{ALIGN, BLOCK_POSITIONS},
};
use kernel::{prelude::*, sync::Arc};

/// Blocks that are taken at once: large pages are filled better.
const EXTENT_BLOCKS: u32 = 8;

/// The blocks of one sequence, positions ascending. It never changes: a longer one shares the blocks.
///
/// # Invariants
///
/// `addresses` are in `extents`, some blocks in each, all of the size that the engine gave for `kv_type`;
/// `state` is as large as it asked for, and none when it needs none.
pub(crate) struct BlockTable {
    state: Option<Arc<Memory>>,
    extents: KVVec<Arc<Memory>>,
    addresses: KVVec<*mut u8>,
    kv_type: u32,
}

// SAFETY: The addresses are those of `extents`, which may go anywhere.
unsafe impl Send for BlockTable {}
// SAFETY: The table is not changed; the blocks are accessed by the engine alone, in steps.
unsafe impl Sync for BlockTable {}

impl BlockTable {
    /// `old` (none when empty) with blocks added until it holds `positions`.
    ///
    /// The memory is charged to the calling task, or whom it takes memory for. `charge` is told what
    /// each part of it takes from the machine, and its errors are given. `ENOMEM`: it cannot be taken
    /// without harm.
    pub(crate) fn extended(
        old: Option<&BlockTable>,
        positions: u32,
        kv_type: u32,
        size: Size,
        mut charge: impl FnMut(u64) -> Result,
    ) -> Result<Self> {
        let count = positions.div_ceil(BLOCK_POSITIONS);
        let held = old.map_or(&[][..], |old| &old.addresses);
        let mut table = Self {
            state: old.and_then(|old| old.state.clone()),
            extents: KVVec::new(),
            addresses: KVVec::with_capacity(held.len().max(count as usize), GFP_KERNEL_ACCOUNT)?,
            kv_type,
        };
        table
            .addresses
            .extend_from_slice(held, GFP_KERNEL_ACCOUNT)?;
        for extent in old.into_iter().flat_map(|old| old.extents.iter()) {
            table.extents.push(extent.clone(), GFP_KERNEL_ACCOUNT)?;
        }
        if old.is_none() && size.state > 0 {
            let bytes = usize::try_from(size.state).map_err(|_| ENOMEM)?;
            table.state = Some(memory(bytes, &mut charge)?);
        }
        while let Some(left @ 1..) = count.checked_sub(table.len()) {
            super::task::interrupted_by_death()?;
            table.take(left.min(EXTENT_BLOCKS), size.kv_block, &mut charge)?;
        }
        Ok(table)
    }

    fn take(&mut self, count: u32, block_bytes: u64, charge: impl FnOnce(u64) -> Result) -> Result {
        let stride = usize::try_from(block_bytes).map_err(|_| ENOMEM)?;
        let stride = stride
            .max(1)
            .checked_next_multiple_of(ALIGN)
            .ok_or(ENOMEM)?;
        let bytes = stride.checked_mul(count as usize).ok_or(ENOMEM)?;
        let extent = memory(bytes, charge)?;
        // INVARIANT: In the memory, which is kept with the addresses.
        let base = extent.base();
        self.extents.push(extent, GFP_KERNEL_ACCOUNT)?;
        for block in 0..count as usize {
            let address = base.wrapping_add(block.wrapping_mul(stride));
            self.addresses.push(address, GFP_KERNEL_ACCOUNT)?;
        }
        Ok(())
    }

    /// Whether it has what layers carry from position to position, which knows the last one alone.
    pub(crate) fn has_state(&self) -> bool {
        self.state.is_some()
    }

    /// What the sequence carries from position to position, for the engine; null without it.
    pub(super) fn state(&self) -> *mut u8 {
        let state = self.state.as_ref();
        state.map_or(core::ptr::null_mut(), |state| state.base())
    }

    /// Positions it holds.
    pub(crate) fn positions(&self) -> u32 {
        self.len().saturating_mul(BLOCK_POSITIONS)
    }

    /// Blocks.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.addresses.len()).unwrap_or(u32::MAX)
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

/// `bytes` bytes of a session, once `charge` has been told what they take from the machine.
fn memory(bytes: usize, charge: impl FnOnce(u64) -> Result) -> Result<Arc<Memory>> {
    let held = Memory::held(bytes);
    ensure_available(held)?;
    charge(held)?;
    Ok(Arc::new(
        Memory::new(bytes, Owner::Session)?,
        GFP_KERNEL_ACCOUNT,
    )?)
}
