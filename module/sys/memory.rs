// SPDX-License-Identifier: GPL-2.0
//! Large blocks of zeroed memory.

use super::bindings as sys;
use core::{ptr::NonNull, slice};
use kernel::{bindings, error::Error, prelude::*};

/// Whose memory it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The machine's: weights, loading.
    Model,
    /// The machine's, for all users' activations and logits; wiped when freed.
    Step,
    /// The calling task's memory cgroup; wiped when freed, since it holds what users wrote.
    Session,
}

/// A block of memory, page-aligned, zeroed when taken.
///
/// # Invariants
///
/// `base` is `bytes` bytes from `vmalloc_huge_node_noprof`, all initialized, owned by this value.
pub(crate) struct Memory {
    base: NonNull<u8>,
    bytes: usize,
    owner: Owner,
}

// SAFETY: Plain memory with the access rules of its references.
unsafe impl Send for Memory {}
// SAFETY: As above.
unsafe impl Sync for Memory {}

impl Memory {
    /// Takes `bytes` bytes (at least one). Too much is `ENOMEM`, without the OOM killer and without
    /// a message in the log.
    pub(crate) fn new(bytes: usize, owner: Owner) -> Result<Self> {
        super::task::assert_outside_section();
        let flags = match owner {
            Owner::Model | Owner::Step => sys::SISLM_GFP_MODEL,
            Owner::Session => sys::SISLM_GFP_SESSION,
        };
        let bytes = bytes.max(1);
        // SAFETY: Any size is allowed; the flags are valid for vmalloc; sleeping is allowed here.
        let base = unsafe { sys::vmalloc_huge_node_noprof(bytes, flags, bindings::NUMA_NO_NODE) };
        // INVARIANT: Just allocated with __GFP_ZERO, so initialized.
        Ok(Self {
            base: NonNull::new(base.cast()).ok_or(ENOMEM)?,
            bytes,
            owner,
        })
    }

    /// As [`Memory::new`], from a size that the engine computed.
    pub(crate) fn sized(bytes: u64, owner: Owner) -> Result<Self> {
        Self::new(usize::try_from(bytes).map_err(|_| ENOMEM)?, owner)
    }

    /// Bytes that a block of `bytes` takes from the machine.
    pub(crate) fn held(bytes: usize) -> u64 {
        // SAFETY: Computes.
        unsafe { sys::sislm_vmalloc_held(bytes) as u64 }
    }

    /// Size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes
    }

    /// The first byte, for the engine. Writing through it needs exclusive access.
    pub(super) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }
}

impl core::ops::Deref for Memory {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: By the invariant, and borrowed from `self`.
        unsafe { slice::from_raw_parts(self.base.as_ptr(), self.bytes) }
    }
}

impl core::ops::DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: By the invariant, and exclusively borrowed from `self`.
        unsafe { slice::from_raw_parts_mut(self.base.as_ptr(), self.bytes) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: By the invariant this is ours and nobody refers to it any more.
        unsafe {
            if self.owner != Owner::Model {
                sys::sislm_memzero(self.base.as_ptr().cast(), self.bytes);
            }
            sys::vfree(self.base.as_ptr().cast());
        }
    }
}

/// Bytes of memory that the machine has.
pub(crate) fn total() -> u64 {
    // SAFETY: Reads a counter.
    let pages = unsafe { sys::sislm_total_pages() };
    (pages as u64).saturating_mul(kernel::page::PAGE_SIZE as u64)
}

/// Bytes that can be taken from the machine without harm now.
pub(crate) fn available() -> u64 {
    // SAFETY: Reads counters.
    let pages = unsafe { bindings::si_mem_available() };
    u64::try_from(pages)
        .unwrap_or(0)
        .saturating_mul(kernel::page::PAGE_SIZE as u64)
}

/// `ENOMEM` unless `bytes` can be taken without harm, an eighth being left to others.
pub(crate) fn ensure_available(bytes: u64) -> Result<(), Error> {
    let available = available();
    if bytes > available.saturating_sub(available >> 3) {
        return Err(ENOMEM);
    }
    Ok(())
}
