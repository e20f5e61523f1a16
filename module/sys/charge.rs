// SPDX-License-Identifier: GPL-2.0
//! Who pays for memory that a kernel thread takes in a task's name.

use super::bindings as sys;
use kernel::bindings;

/// The memory cgroup of a task.
///
/// # Invariants
///
/// `group` is null or holds a reference.
pub(crate) struct Payer {
    group: *mut bindings::mem_cgroup,
}

// SAFETY: A reference to a cgroup may be used and given back by any task.
unsafe impl Send for Payer {}
// SAFETY: What is shared is only read; who is charged is the calling task's own state.
unsafe impl Sync for Payer {}

impl Payer {
    /// That of the calling task, or who pays for what it does at the moment.
    pub(crate) fn current() -> Self {
        // INVARIANT: The function takes a reference, or gives null without memory cgroups.
        Self {
            // SAFETY: Reads the calling task's own cgroup.
            group: unsafe { sys::sislm_memcg_get_current() },
        }
    }

    /// Charges it for what `action` takes with accounting.
    pub(crate) fn pay<T>(&self, action: impl FnOnce() -> T) -> T {
        // SAFETY: `self` holds the reference for as long as the group is charged.
        let before = unsafe { sys::sislm_memcg_charge(self.group) };
        let result = action();
        // SAFETY: What was charged before still is valid: its scope encloses this one.
        unsafe { sys::sislm_memcg_charge(before) };
        result
    }
}

impl Drop for Payer {
    fn drop(&mut self) {
        // SAFETY: Gives back the reference of the invariant.
        unsafe { sys::sislm_memcg_put(self.group) };
    }
}
