// SPDX-License-Identifier: GPL-2.0
//! A step whose chunks check what they are promised: the stage before is done, the chunk is theirs.

use super::neon::Inside;
use kernel::prelude::*;
use loom::cell::UnsafeCell;

/// Chunks of each stage.
pub(crate) const STAGES: [u32; 2] = [2, 1];

/// The stage and chunk that end with an error in every step.
const BROKEN: (u32, u32) = (0, 1);

/// The step in flight.
pub(crate) struct Flight {
    /// Number of the step, written by the holder of the baton.
    step: UnsafeCell<u32>,
    /// Number of the last step that ran each chunk of each stage.
    ran: [[UnsafeCell<u32>; 2]; STAGES.len()],
    /// Whether [`BROKEN`] ends with an error.
    breaks: bool,
}

impl Flight {
    /// Before the first step.
    pub(super) fn new() -> Result<Self> {
        let cell = || UnsafeCell::new(0);
        Ok(Self {
            step: cell(),
            ran: [[cell(), cell()], [cell(), cell()]],
            breaks: false,
        })
    }

    /// Begins the next step, in which a chunk may break; gives its number.
    pub(crate) fn begin(&mut self, breaks: bool) -> u32 {
        self.breaks = breaks;
        // SAFETY: Loom reports it when somebody else reads or writes meanwhile.
        self.step.with_mut(|step| unsafe {
            *step += 1;
            *step
        })
    }

    /// Chunks of a stage and the work of each.
    pub(super) fn stage(&self, _: &Inside<'_>, stage: u32) -> Result<(u32, u64)> {
        let chunks = STAGES.get(stage as usize).ok_or(EINVAL)?;
        Ok((*chunks, 1))
    }

    /// Runs chunks: so many from the first on.
    ///
    /// # Safety
    ///
    /// None is needed here: what the real one requires is checked.
    pub(super) unsafe fn chunks(
        &self,
        _: &Inside<'_>,
        stage: u32,
        _slot: u32,
        (first, count): (u32, u32),
    ) -> Result<(), ()> {
        // SAFETY: As in `begin`.
        let step = self.step.with(|step| unsafe { *step });
        if let Some(before) = stage.checked_sub(1) {
            for cell in &self.ran[before as usize][..STAGES[before as usize] as usize] {
                // SAFETY: As in `begin`.
                let ran = cell.with(|ran| unsafe { *ran });
                assert_eq!(ran, step, "a chunk of stage {stage} began too early");
            }
        }
        let mut result = Ok(());
        for chunk in first..first + count {
            // SAFETY: As in `begin`.
            self.ran[stage as usize][chunk as usize].with_mut(|ran| unsafe {
                assert_eq!(*ran + 1, step, "a chunk was run twice or left out");
                *ran = step;
            });
            if self.breaks && (stage, chunk) == BROKEN {
                result = Err(());
            }
        }
        result
    }
}
