// SPDX-License-Identifier: GPL-2.0
//! Memory handed to the engine.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use anyhow::{Context, Result};
use sislm_engine::abi::ALIGN;

/// A zeroed block aligned to `ALIGN`, which does not move.
pub struct Memory {
    // INVARIANT: `layout.size()` initialized bytes from the allocator.
    base: NonNull<u8>,
    layout: Layout,
    length: usize,
}

// SAFETY: It owns its bytes and hands out only raw pointers and borrows of itself.
unsafe impl Send for Memory {}
// SAFETY: As above; what tasks do at the same time through raw pointers is the wall's rule.
unsafe impl Sync for Memory {}

impl Memory {
    /// Takes `bytes` zeroed bytes.
    pub fn new(bytes: u64) -> Result<Self> {
        let length = usize::try_from(bytes)?;
        let layout = Layout::from_size_align(length.max(1), ALIGN)?;
        // SAFETY: The layout's size is not zero.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })
            .with_context(|| format!("no memory for {bytes} bytes"))?;
        Ok(Self {
            base,
            layout,
            length,
        })
    }

    /// Its first byte.
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Its size in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Its bytes, for writing before the engine sees them.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: `length` initialized bytes, borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.length) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: Allocated with this layout.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}
