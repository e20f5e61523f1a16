// SPDX-License-Identifier: GPL-2.0
//! A workqueue of the module's own, which it can wait for before it goes.

use super::{bindings as sys, task};
use core::{ops::Deref, ptr::NonNull};
use kernel::{bindings, prelude::*, workqueue::Queue};

/// A workqueue bound to no CPU. Dropping it waits for what is queued.
///
/// # Invariants
///
/// `queue` is a workqueue, destroyed when this is dropped.
pub(crate) struct Workqueue {
    queue: NonNull<bindings::workqueue_struct>,
}

// SAFETY: A workqueue may be used and destroyed by any task.
unsafe impl Send for Workqueue {}
// SAFETY: A workqueue has its own locks.
unsafe impl Sync for Workqueue {}

impl Workqueue {
    /// With at most `most` items that run at a time.
    pub(crate) fn new(most: u32) -> Result<Self> {
        // INVARIANT: Just made.
        Ok(Self {
            // SAFETY: Allocates; any number is clamped.
            queue: NonNull::new(unsafe { sys::sislm_alloc_workqueue(most) }).ok_or(ENOMEM)?,
        })
    }

    /// Waits until what was queued has run.
    pub(crate) fn flush(&self) {
        task::assert_outside_section();
        // SAFETY: By the invariant.
        unsafe { bindings::__flush_workqueue(self.queue.as_ptr()) };
    }
}

impl Deref for Workqueue {
    type Target = Queue;

    fn deref(&self) -> &Queue {
        // SAFETY: By the invariant it lives as long as `self`.
        unsafe { Queue::from_raw(self.queue.as_ptr()) }
    }
}

impl Drop for Workqueue {
    fn drop(&mut self) {
        // SAFETY: By the invariant; nothing is queued any more, since nobody refers to it.
        unsafe { bindings::destroy_workqueue(self.queue.as_ptr()) };
    }
}
