// SPDX-License-Identifier: GPL-2.0
//! The start of a step's memory: its model, its rows and its stages.

use crate::abi::ADAPTERS_MAX;
use crate::abi::ALIGN;
use crate::abi::StepShape;
use crate::model::adapter::Adapted;
use crate::step::batch::Batch;
use crate::step::places::Places;
use crate::step::stage;
use crate::step::stage::Planned;
use crate::step::stage::Stage;
use crate::step::task::Task;
use crate::wall::model::loaded;

/// Start of a step's memory; the parts of its places follow.
#[repr(C)]
pub(super) struct Head {
    /// The model.
    pub(super) model: *const u8,
    /// Its adapters, as many as there are.
    // INVARIANT: They live as long as the step.
    pub(super) adapters: [Option<Adapted<'static>>; ADAPTERS_MAX],
    /// Their number.
    pub(super) adapter_count: usize,
    /// What the step was made for.
    pub(super) shape: StepShape,
    /// Where its parts are.
    pub places: Places,
    /// Number of stages of this pass, which its first part holds.
    pub(super) stages: u32,
    /// Number of stages that are planned there, and what for.
    planned: (u32, Planning),
    /// Its rows.
    pub(super) batch: Batch,
}

/// What the stages follow from, but for attention: rows, rows with logits, whether hidden
/// states are wanted, which part of the layers, which adapters, whether whole heads are stored.
type Planning = (usize, usize, bool, u32, u32, bool);

/// Bytes before the parts.
pub(super) const HEAD: usize = size_of::<Head>().next_multiple_of(ALIGN);

impl Head {
    /// What the chunks of this step can read.
    ///
    /// # Safety
    ///
    /// The step's model lives for `'a`.
    pub(super) unsafe fn task(&self) -> Option<Task<'_>> {
        // SAFETY: `step_begin` was given a model; the caller's promise.
        let loaded = unsafe { loaded(self.model)? };
        Some(Task {
            model: loaded.model,
            layers: loaded.layers,
            arena: loaded.arena,
            adapters: self.adapters.get(..self.adapter_count)?,
            batch: &self.batch,
        })
    }

    /// Stage number `index` of this pass; `None` past the end.
    ///
    /// # Safety
    ///
    /// This is the head of `step`.
    pub(super) unsafe fn stage(&self, step: *const u8, index: u32) -> Option<Planned> {
        if index >= self.stages {
            return None;
        }
        // SAFETY: `plan` wrote so many stages there; the caller's promise.
        unsafe {
            let stages = step.add(self.places.stages.offset).cast::<Planned>();
            Some(*stages.add(index as usize))
        }
    }

    /// Plans the stages of the pass whose rows are set. Those of as many rows as in the pass before
    /// differ in what goes by positions and sequences only.
    ///
    /// # Safety
    ///
    /// This is the head of `step`, whose parts nobody else refers to, and its model lives.
    pub(super) unsafe fn plan(&mut self, step: *mut u8) -> Option<()> {
        let (count, planned) = self.planned;
        let batch = &self.batch;
        let now = (
            batch.rows().len(),
            batch.logits().len(),
            batch.hidden_states(),
            batch.part(),
            batch.scaled(),
            batch.quantized(),
        );
        self.planned.0 = 0;
        // SAFETY: The caller's promise.
        let count = unsafe {
            if count > 0 && now == planned {
                self.plan_attention(step, count)?;
                count
            } else {
                self.plan_all(step)?
            }
        };
        self.planned = (count, now);
        self.stages = count;
        Some(())
    }

    /// Plans all stages; their number.
    ///
    /// # Safety
    ///
    /// As of [`Head::plan`].
    unsafe fn plan_all(&self, step: *mut u8) -> Option<u32> {
        let room = self.places.stages;
        let mut count = 0;
        // SAFETY: The caller's promise; the stages lie within their part, which is aligned.
        unsafe {
            let task = self.task()?;
            let stages = step.add(room.offset).cast::<Planned>();
            stage::plan(&task, |planned| {
                if count as usize >= room.bytes / size_of::<Planned>() {
                    return None;
                }
                stages.add(count as usize).write(planned);
                count += 1;
                Some(())
            })?;
        }
        Some(count)
    }

    /// Cuts those of `count` planned stages anew that go by positions and sequences.
    ///
    /// # Safety
    ///
    /// As of [`Head::plan`], and so many stages are planned.
    unsafe fn plan_attention(&self, step: *mut u8, count: u32) -> Option<()> {
        // SAFETY: The caller's promise: the stages are initialized, and nobody else refers to them.
        let (task, stages) = unsafe {
            let stages = step.add(self.places.stages.offset).cast::<Planned>();
            let stages = core::slice::from_raw_parts_mut(stages, count as usize);
            (self.task()?, stages)
        };
        let mut last = None;
        for planned in stages {
            match planned.stage {
                Stage::Attention(layer) => {
                    // Most layers are cut as the one before.
                    let layer = task.shape(layer)?;
                    let numbers = (layer.kv_heads, layer.head_size, layer.heads);
                    planned.cut = match last {
                        Some((same, cut)) if same == numbers => cut,
                        _ => planned.stage.cut(&task)?,
                    };
                    last = Some((numbers, planned.cut));
                }
                // As many rows may be of other sequences.
                Stage::Convolve(_) | Stage::Delta(_) => planned.cut = planned.stage.cut(&task)?,
                _ => {}
            }
        }
        Some(())
    }
}
