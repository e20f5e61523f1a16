// SPDX-License-Identifier: GPL-2.0
//! The wall's functions for a step. Here is decided what a chunk may read and write.

use core::slice;

use crate::abi::ALIGN;
use crate::abi::DONE;
use crate::abi::LOGITS_MAX;
use crate::abi::ROW_LOGITS;
use crate::abi::ROWS_MAX;
use crate::abi::Row;
use crate::abi::StepShape;
use crate::abi::StepSize;
use crate::abi::fault;
use crate::memory::kv::KvType;
use crate::model::Hyperparameters;
use crate::step::batch::Batch;
use crate::step::places::Places;
use crate::step::stage;
use crate::step::stage::Planned;
use crate::step::task::Task;
use crate::wall::chunk;
use crate::wall::model::Loaded;
use crate::wall::model::loaded;

/// Start of a step's memory; the parts of its places follow.
#[repr(C)]
pub struct Head {
    /// The model.
    model: *const u8,
    /// What the step was made for.
    shape: StepShape,
    /// Where its parts are.
    pub places: Places,
    /// Number of stages of this pass, which its first part holds.
    stages: u32,
    /// Its rows.
    batch: Batch,
}

/// Bytes before the parts.
const HEAD: usize = size_of::<Head>().next_multiple_of(ALIGN);

impl Head {
    /// What the chunks of this step can read.
    ///
    /// # Safety
    ///
    /// The step's model lives for `'a`.
    pub unsafe fn task(&self) -> Option<Task<'_>> {
        // SAFETY: `step_begin` was given a model; the caller's promise.
        let loaded = unsafe { loaded(self.model)? };
        Some(Task {
            model: loaded.model,
            layers: loaded.layers,
            arena: loaded.arena,
            batch: &self.batch,
        })
    }

    /// Stage number `index` of this pass; `None` past the end.
    ///
    /// # Safety
    ///
    /// This is the head of `step`.
    pub unsafe fn stage(&self, step: *const u8, index: u32) -> Option<Planned> {
        if index >= self.stages {
            return None;
        }
        // SAFETY: `plan` wrote so many stages there; the caller's promise.
        unsafe {
            let stages = step.add(self.places.stages.offset).cast::<Planned>();
            Some(*stages.add(index as usize))
        }
    }

    /// Plans the stages of the pass whose rows are set.
    ///
    /// # Safety
    ///
    /// This is the head of `step`, whose parts nobody else refers to, and its model lives.
    unsafe fn plan(&mut self, step: *mut u8) -> Option<()> {
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
        self.stages = count;
        Some(())
    }
}

/// Places of a step of `shape`; `None` when it is outside its documented range.
fn places(model: &Hyperparameters, shape: &StepShape) -> Option<Places> {
    let fits = (1..=ROWS_MAX).contains(&shape.rows)
        && (1..=LOGITS_MAX).contains(&shape.logits)
        && (1..=1024).contains(&shape.workers)
        && (1..=model.context).contains(&shape.context);
    if fits {
        Places::new(HEAD, model, shape)
    } else {
        None
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_size(
    model: *const u8,
    shape: *const StepShape,
    kv_type: u32,
    size: *mut StepSize,
) -> i32 {
    // SAFETY: The rules of the wall: a loaded model, a readable shape, an output.
    unsafe {
        let Some(Loaded { model, .. }) = loaded(model) else {
            return fault::ARGUMENT;
        };
        let model = &model.shape;
        let (Some(places), Some(kv_type)) = (places(model, &*shape), KvType::new(kv_type)) else {
            return fault::ARGUMENT;
        };
        size.write(StepSize {
            step_bytes: places.bytes as u64,
            kv_block_bytes: model.kv_layout().block_bytes(kv_type) as u64,
        });
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall; the model lives as long as the step.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_begin(
    step: *mut u8,
    step_bytes: usize,
    model: *const u8,
    shape: *const StepShape,
) -> i32 {
    // SAFETY: The rules of the wall: a loaded model, a readable shape, and zeroed, exclusive memory,
    // which is a valid head but for its places.
    unsafe {
        let shape = *shape;
        let places = loaded(model).and_then(|loaded| places(&loaded.model.shape, &shape));
        let Some(places) = places else {
            return fault::ARGUMENT;
        };
        if places.bytes > step_bytes {
            return fault::ARGUMENT;
        }
        let head = step.cast::<Head>();
        (&raw mut (*head).model).write(model);
        (&raw mut (*head).shape).write(shape);
        (&raw mut (*head).places).write(places);
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall; the rows' tables and blocks stay until the step is over.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_prepare(
    step: *mut u8,
    rows: *const Row,
    count: u32,
    stages: *mut u32,
) -> i32 {
    if !(1..=ROWS_MAX).contains(&count) {
        return fault::ARGUMENT;
    }
    // SAFETY: The rules of the wall: a begun step, exclusive; `count` rows; an output.
    unsafe {
        let head = &mut *step.cast::<Head>();
        head.stages = 0;
        let rows = slice::from_raw_parts(rows, count as usize);
        let Some(Loaded { model, .. }) = loaded(head.model) else {
            return fault::ARGUMENT;
        };
        if let Err(status) = head.batch.set(rows, &head.shape, &model.shape) {
            return status;
        }
        if head.plan(step).is_none() {
            return fault::ARGUMENT;
        }
        stages.write(head.stages);
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_stage(
    step: *const u8,
    stage: u32,
    chunks: *mut u32,
    work: *mut u64,
) -> i32 {
    // SAFETY: The rules of the wall: a prepared step, only read meanwhile; two outputs.
    unsafe {
        let head = &*step.cast::<Head>();
        let Some(Planned { cut, .. }) = head.stage(step, stage) else {
            return fault::ARGUMENT;
        };
        chunks.write(cut.chunks());
        work.write(cut.work());
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall: the chunks of one stage, each once, and no slot twice at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_chunk(
    step: *const u8,
    stage: u32,
    slot: u32,
    chunk: u32,
) -> i32 {
    // SAFETY: The rules of the wall.
    match unsafe { chunk::run(step, stage, slot, chunk) } {
        Some(()) => DONE,
        None => fault::ARGUMENT,
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_logits(
    step: *const u8,
    row: u32,
    logits: *mut *const u8,
) -> i32 {
    // SAFETY: The rules of the wall: a step after its last stage, only read; an output.
    unsafe {
        let head = &*step.cast::<Head>();
        logits.write(core::ptr::null());
        let Some(asked) = head.batch.rows().get(row as usize) else {
            return fault::ARGUMENT;
        };
        if head.batch.failed(row as usize) {
            return fault::NUMERIC;
        }
        if asked.flags & ROW_LOGITS != 0 {
            let rows = head.batch.logits().iter();
            let index = rows.take_while(|other| u32::from(**other) != row).count();
            let stride = head.places.logits_width * size_of::<f32>();
            logits.write(step.add(head.places.logits.offset + index * stride));
        }
    }
    DONE
}
