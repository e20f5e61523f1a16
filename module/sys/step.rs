// SPDX-License-Identifier: GPL-2.0
//! A step: the memory of one forward pass over a batch of rows.

use super::{
    memory::{Memory, Owner},
    model::{engine_pointer, Facts, ModelMemory},
    neon::{Inside, Section},
    wall::{
        self, status, Fault, Row, StepShape, StepSize, ADAPTERS_MAX, BLOCK_POSITIONS, LOGITS_MAX,
        ROWS_MAX,
    },
};
use core::slice;
use kernel::{prelude::*, sync::Arc};

/// What a step of a model takes.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    /// Bytes of the step.
    pub(crate) step: u64,
    /// Bytes of one block of keys and values.
    pub(crate) kv_block: u64,
    /// Bytes of what a sequence carries from position to position; 0 for most models.
    pub(crate) state: u64,
}

impl Size {
    /// Bytes of what a sequence of `positions` has.
    pub(crate) fn bytes(&self, positions: u32) -> u64 {
        let blocks = u64::from(positions.div_ceil(BLOCK_POSITIONS));
        blocks
            .saturating_mul(self.kv_block)
            .saturating_add(self.state)
    }
}

fn shape(workers: u32, context: u32) -> StepShape {
    StepShape {
        rows: ROWS_MAX,
        logits: LOGITS_MAX,
        workers,
        context,
    }
}

/// Sizes for `workers` slots and `context` positions.
pub(crate) fn size(
    section: &mut Section,
    model: &ModelMemory,
    adapters: &Adapters,
    workers: u32,
    context: u32,
    kv_type: u32,
) -> Result<Size> {
    let mut size = StepSize {
        step_bytes: 0,
        kv_block_bytes: 0,
        state_bytes: 0,
    };
    let shape = shape(workers, context);
    let (list, count) = adapters.list();
    let code = section.enter(|_| {
        // SAFETY: The model and its adapters are sealed; the rest are places of our own.
        unsafe {
            let model = engine_pointer(model);
            wall::sislm_engine_step_size(model, list.as_ptr(), count, &shape, kv_type, &mut size)
        }
    });
    status(code)?;
    Ok(Size {
        step: size.step_bytes,
        kv_block: size.kv_block_bytes,
        state: size.state_bytes,
    })
}

/// The adapters of a model, in their order.
#[derive(Clone, Default)]
pub(crate) struct Adapters([Option<Arc<ModelMemory>>; ADAPTERS_MAX]);

impl Adapters {
    /// Adds one; `EINVAL` when there are as many as can be.
    pub(crate) fn add(&mut self, adapter: &Arc<ModelMemory>) -> Result {
        let place = self.0.iter_mut().find(|place| place.is_none());
        *place.ok_or(EINVAL)? = Some(adapter.clone());
        Ok(())
    }

    /// The engine's views of them, then null, and their number.
    fn list(&self) -> ([*const u8; ADAPTERS_MAX], u32) {
        let pointer = |adapter: &Option<Arc<ModelMemory>>| {
            let adapter = adapter.as_deref();
            adapter.map_or(core::ptr::null(), engine_pointer)
        };
        // CAST: At most ADAPTERS_MAX.
        let count = self.0.iter().flatten().count() as u32;
        (self.0.each_ref().map(pointer), count)
    }
}

/// The memory of a step, for sequences of one model.
///
/// # Invariants
///
/// `memory` was begun by the engine with `_model`, `_adapters` and the slots and positions given here.
pub(crate) struct Step {
    memory: Memory,
    _model: Arc<ModelMemory>,
    _adapters: Adapters,
    slots: u32,
    context: u32,
    vocabulary: u32,
    width: u32,
}

/// The logits of one row, valid while the step in flight is borrowed.
pub(crate) struct Logits<'a> {
    first: &'a [u8],
}

impl Logits<'_> {
    /// Their bytes: f32, little-endian, in the order of the vocabulary.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.first
    }
}

/// The hidden state of one row, valid while the step in flight is borrowed.
pub(crate) struct HiddenState<'a> {
    values: &'a [u32],
}

impl HiddenState<'_> {
    /// Its values: the bits of an f32 each.
    pub(crate) fn values(&self) -> &[u32] {
        self.values
    }
}

impl Step {
    /// Takes the memory of a step.
    pub(crate) fn new(
        section: &mut Section,
        model: &Arc<ModelMemory>,
        adapters: Adapters,
        facts: &Facts,
        slots: u32,
    ) -> Result<Self> {
        let context = facts.context;
        let bytes = size(
            section,
            model,
            &adapters,
            slots,
            context,
            super::uapi::SISLM_KV_F16,
        )?
        .step;
        super::memory::ensure_available(bytes)?;
        let memory = Memory::sized(bytes, Owner::Step)?;
        let shape = shape(slots, context);
        let (list, count) = adapters.list();
        let code = section.enter(|_| {
            // SAFETY: Zeroed memory of the size asked for; `model` and
            // the adapters are kept by the value made below.
            unsafe {
                wall::sislm_engine_step_begin(
                    memory.base(),
                    memory.len(),
                    engine_pointer(model),
                    list.as_ptr(),
                    count,
                    &shape,
                )
            }
        });
        status(code)?;
        // INVARIANT: Just begun.
        Ok(Self {
            memory,
            _model: model.clone(),
            _adapters: adapters,
            slots,
            context,
            vocabulary: facts.vocabulary,
            width: facts.embedding,
        })
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.memory.len() as u64
    }

    /// Whether a row at `position` with `token` can be computed in it.
    pub(super) fn holds(&self, position: u32, token: u32) -> bool {
        position < self.context && token < self.vocabulary
    }

    /// Takes the rows of the next step, for part `pass` of those that a model has; gives the number of
    /// stages.
    ///
    /// # Safety
    ///
    /// Nobody runs a chunk of the step. The rows' blocks hold their positions and are kept as long
    /// as chunks are run.
    pub(super) unsafe fn prepare(
        &self,
        section: &mut Section,
        rows: &[Row],
        pass: u32,
    ) -> Result<u32> {
        let count = u32::try_from(rows.len()).map_err(|_| EINVAL)?;
        let mut stages = 0;
        let code = section.enter(|_| {
            // SAFETY: A begun step and readable rows; the rest is required of the caller.
            unsafe {
                let memory = self.memory.base();
                wall::sislm_engine_step_prepare(memory, rows.as_ptr(), count, pass, &mut stages)
            }
        });
        status(code)?;
        Ok(stages)
    }

    /// Chunks of a stage and the work of each, in weight bytes.
    pub(super) fn stage(&self, _inside: &Inside<'_>, stage: u32) -> Result<(u32, u64)> {
        let (mut chunks, mut work) = (0, 0);
        let memory = self.memory.base();
        // SAFETY: Reads a prepared step.
        let code = unsafe { wall::sislm_engine_step_stage(memory, stage, &mut chunks, &mut work) };
        status(code)?;
        Ok((chunks, work))
    }

    /// Runs `count` chunks from chunk `first` on.
    ///
    /// # Safety
    ///
    /// The step is prepared, the stages before `stage` are done, the chunks have not been run and are
    /// run by nobody else, and nobody else uses `slot`.
    pub(super) unsafe fn chunks(
        &self,
        _inside: &Inside<'_>,
        stage: u32,
        slot: u32,
        (first, count): (u32, u32),
    ) -> Result<(), Fault> {
        if slot >= self.slots {
            return Err(Fault::Argument);
        }
        // SAFETY: By the requirements of this function.
        let code = unsafe {
            wall::sislm_engine_step_chunks(self.memory.base(), stage, slot, first, count)
        };
        status(code).map(|_| ())
    }

    /// The logits of row `row` after the last stage; none when it did not ask for them. `EDOM`: the
    /// row met a non-finite activation.
    ///
    /// # Safety
    ///
    /// Nobody changes the step for `'a`.
    pub(super) unsafe fn logits<'a>(
        &'a self,
        section: &mut Section,
        row: u32,
    ) -> Result<Option<Logits<'a>>> {
        let mut logits: *const u8 = core::ptr::null();
        let code = section.enter(|_| {
            // SAFETY: Reads a prepared step that nobody changes.
            unsafe { wall::sislm_engine_step_logits(self.memory.base(), row, &mut logits) }
        });
        status(code)?;
        if logits.is_null() {
            return Ok(None);
        }
        let bytes = (self.vocabulary as usize).saturating_mul(size_of::<u32>());
        // SAFETY: The engine gives one f32 for each id, in the step's memory, which is not changed
        // for 'a.
        let first = unsafe { slice::from_raw_parts(logits, bytes) };
        Ok(Some(Logits { first }))
    }

    /// The hidden state of row `row` after the last stage of the last pass. `EDOM`: the row met a non-finite
    /// activation.
    ///
    /// # Safety
    ///
    /// Nobody changes the step for `'a`.
    pub(super) unsafe fn hidden_state<'a>(
        &'a self,
        section: &mut Section,
        row: u32,
    ) -> Result<HiddenState<'a>> {
        let mut state: *const u8 = core::ptr::null();
        let code = section.enter(|_| {
            // SAFETY: Reads a prepared step that nobody changes.
            unsafe { wall::sislm_engine_step_hidden_state(self.memory.base(), row, &mut state) }
        });
        status(code)?;
        // SAFETY: The engine gives one f32 for each value of a row, aligned in the step's memory, which
        // is not changed for 'a.
        let values = unsafe { slice::from_raw_parts(state.cast(), self.width as usize) };
        Ok(HiddenState { values })
    }
}
