// SPDX-License-Identifier: GPL-2.0
//! One chunk of a stage: what it reads and what it alone writes.
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
use crate::step::stage::Stage;
use crate::wall::head::Head;

/// Runs chunk `chunk` of stage number `stage`; `None` when there is no such chunk or slot.
///
/// # Safety
///
/// `step` is prepared; the stages before are done; each chunk runs once, and no slot serves two at
/// a time.
pub unsafe fn run(step: *const u8, stage: u32, slot: u32, chunk: u32) -> Option<()> {
    // SAFETY: The head of a prepared step is only read while chunks run, and its model lives.
    let (head, task) = unsafe {
        let head = &*step.cast::<Head>();
        (head, head.task()?)
    };
    // SAFETY: A prepared step has these places.
    let memory = unsafe { Memory::new(step.cast_mut(), &head.places) };
    // SAFETY: The head is this step's.
    let planned = unsafe { head.stage(step, stage)? };
    let (first, count) = planned.cut.chunk(chunk)?;
    let slot = memory.slot(slot)?;
    // SAFETY: These units and this slot are ours alone, and the stages before are done, by the
    // caller's promise.
    unsafe {
        match planned.stage {
            Stage::Embedding => memory.embed(&task, slot, first, count),
            Stage::PerLayer => memory.per_layer(&task, slot, first, count),
            Stage::Resume | Stage::Keep => {
                memory.keep(&task, planned.stage == Stage::Resume, first, count)
            }
            Stage::Finish => memory.finish(&task, slot, first, count),
            Stage::Pack(input) => memory.pack(&task, slot, input, first, count),
            Stage::Heads(layer) => memory.heads(&task, slot, layer, first, count),
            Stage::Attention(layer) => memory.attend(&task, layer, first, count),
            Stage::Join(layer, branch) => memory.join(&task, slot, layer, branch, first, count),
            Stage::Route(layer) => memory.route(&task, layer, first, count),
            Stage::Latent(layer) => memory.latent(&task, slot, layer, first, count),
            Stage::Merge(layer) => memory.merge(&task, slot, layer, first, count),
            Stage::Convolve(layer) => memory.convolve(&task, layer, first, count),
            Stage::Delta(layer) => memory.delta(&task, slot, layer, first, count),
            // What multiplies the input comes next, and finds it packed.
            Stage::Reduce(input) => {
                let key = (task.batch.pass() << 16) | (u64::from(stage) + 2);
                memory.reduce(&task, slot, (input, key), first, count)
            }
            Stage::Multiply(input) => {
                let key = (task.batch.pass() << 16) | (u64::from(stage) + 1);
                memory.multiply(&task, slot, (input, key), first, count)
            }
        }
    }
}
