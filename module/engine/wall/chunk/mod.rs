// SPDX-License-Identifier: GPL-2.0
//! Chunks of a stage: what each reads and what it alone writes.
//!
//! A stage reads parts of the step that no chunk of it writes. Each of its chunks writes columns,
//! rows, cells of the cache or a slot that no other touches. The stages of a pass run one after
//! the other.
//!
//! What packs and attends is not inlined: the frame of all chunks would hold what those need.

mod adapters;
mod attention;
mod experts;
mod kept;
mod latent;
mod memory;
mod mixer;
mod multiplication;
mod packing;
mod per_layer;
mod product;
mod residual;

use self::memory::Memory;
use self::memory::Slot;
use crate::step::stage::Stage;
use crate::step::task::Task;
use crate::wall::head::Head;

/// Runs `count` chunks of stage number `stage` from chunk `first` on; `None` when there is no such
/// chunk or slot.
///
/// # Safety
///
/// `step` is prepared; the stages before are done; each chunk runs once, and no slot serves two at
/// a time.
pub unsafe fn run(step: *const u8, stage: u32, slot: u32, first: u32, count: u32) -> Option<()> {
    // SAFETY: The head of a prepared step is only read while chunks run, and its model lives.
    let (head, task) = unsafe {
        let head = &*step.cast::<Head>();
        (head, head.task()?)
    };
    // SAFETY: A prepared step has these places.
    let memory = unsafe { Memory::new(step.cast_mut(), &head.places) };
    // SAFETY: The head is this step's.
    let planned = unsafe { head.stage(step, stage)? };
    let slot = memory.slot(slot)?;
    for chunk in first..first.checked_add(count)? {
        let units = planned.cut.chunk(chunk)?;
        // SAFETY: These units and this slot are ours alone, and the stages before are done, by the
        // caller's promise.
        unsafe { memory.chunk(&task, slot, (stage, planned.stage), units)? };
    }
    Some(())
}

impl Memory<'_> {
    /// Runs units of a stage, which has a number: so many from the first on.
    ///
    /// # Safety
    ///
    /// The stages before are done, and these units and the slot are the caller's.
    #[inline(always)]
    unsafe fn chunk(
        &self,
        task: &Task<'_>,
        slot: Slot,
        (number, stage): (u32, Stage),
        (first, count): (u32, u32),
    ) -> Option<()> {
        // SAFETY: The caller's promise.
        unsafe {
            match stage {
                Stage::Embedding => self.embed(task, slot, first, count),
                Stage::PerLayer => self.per_layer(task, slot, first, count),
                Stage::Resume | Stage::Keep => {
                    self.keep(task, stage == Stage::Resume, first, count)
                }
                Stage::Finish => self.finish(task, slot, first, count),
                Stage::Pack(input) => self.pack(task, slot, input, first, count),
                Stage::Heads(layer) => self.heads(task, slot, layer, first, count),
                Stage::Store(layer) => self.store(task, layer, first, count),
                Stage::Attention(layer) => self.attend(task, layer, first, count),
                Stage::Join(layer, branch) => self.join(task, slot, layer, branch, first, count),
                Stage::Route(layer) => self.route(task, layer, first, count),
                Stage::Latent(layer) => self.latent(task, slot, layer, first, count),
                Stage::Merge(layer) => self.merge(task, slot, layer, first, count),
                Stage::Convolve(layer) => self.convolve(task, layer, first, count),
                Stage::Delta(layer) => self.delta(task, slot, layer, first, count),
                // What multiplies the input comes next, and finds it packed.
                Stage::Reduce(input) => {
                    let key = (task.batch.pass() << 16) | (u64::from(number) + 2);
                    self.reduce(task, slot, (input, key), first, count)
                }
                Stage::Multiply(input) => {
                    let key = (task.batch.pass() << 16) | (u64::from(number) + 1);
                    self.multiply(task, slot, (input, key), first, count)
                }
            }
        }
    }
}
