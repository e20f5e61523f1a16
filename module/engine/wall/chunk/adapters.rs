// SPDX-License-Identifier: GPL-2.0
//! The chunks of what adapters make of an input, and where those that multiply it find that.

use crate::step::adapters;
use crate::step::adapters::Reduced;
use crate::step::input::Input;
use crate::step::packing::Rows;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;

impl<'a> Memory<'a> {
    /// Multiplies `input`, packed for stage `key`, with `count` groups of adapters from group `first` of its
    /// stage on.
    ///
    /// # Safety
    ///
    /// The stage that reduces `input` runs, and these groups and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn reduce(
        &self,
        task: &Task<'_>,
        slot: Slot,
        (input, key): (Input, u64),
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (place, stride) = (self.places.reduced, self.places.reduced_width);
        let groups = first..first.checked_add(count)?;
        // SAFETY: The slot is ours, and the columns of our groups, of which the input is not made.
        unsafe {
            let rows = (self.packed(task, slot, input, key)?, input.rows(task));
            let room = self.own(slot, self.places.parts.products);
            let out = self.columns(place, stride, &groups);
            adapters::reduce(task, input, groups, rows, room, out)
        }
    }

    /// What adapters made of `input`; `None` without adapters.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs.
    #[inline(always)]
    pub(super) unsafe fn reduced(&self, task: &Task<'_>, input: Input) -> Option<Reduced<'a>> {
        if task.adapters.is_empty() {
            return None;
        }
        let rows = Rows {
            // SAFETY: This stage only reads it.
            values: unsafe { self.read(self.places.reduced) },
            stride: self.places.reduced_width,
        };
        Some(Reduced { input, rows })
    }
}
