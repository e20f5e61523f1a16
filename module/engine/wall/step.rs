// SPDX-License-Identifier: GPL-2.0
//! The wall's functions for a step. Here is decided what a chunk may read and write.

use core::slice;

use crate::abi::ADAPTERS_MAX;
use crate::abi::DONE;
use crate::abi::LOGITS_MAX;
use crate::abi::ROW_HIDDEN_STATE;
use crate::abi::ROW_LOGITS;
use crate::abi::ROWS_MAX;
use crate::abi::Row;
use crate::abi::StepShape;
use crate::abi::StepSize;
use crate::abi::fault;
use crate::memory::kv::KvType;
use crate::memory::state;
use crate::memory::state::Versions;
use crate::model::Hyperparameters;
use crate::model::adapter::Adapted;
use crate::step::places::Places;
use crate::step::places::Ranks;
use crate::step::stage::Planned;
use crate::wall::chunk;
use crate::wall::head::HEAD;
use crate::wall::head::Head;
use crate::wall::model::Loaded;
use crate::wall::model::adapted;
use crate::wall::model::loaded;

/// Places of a step of `shape`; `None` when it is outside its documented range.
fn places(model: &Hyperparameters, ranks: Ranks, shape: &StepShape) -> Option<Places> {
    let fits = (1..=ROWS_MAX).contains(&shape.rows)
        && (1..=LOGITS_MAX).contains(&shape.logits)
        && (1..=1024).contains(&shape.workers)
        && (1..=model.context).contains(&shape.context);
    if fits {
        Places::new(HEAD, model, ranks, shape)
    } else {
        None
    }
}

/// `count` adapters of `model`, and their ranks; `None` when one of them is of another model.
///
/// # Safety
///
/// `list` points at `count` adapters, which stay for `'a`.
unsafe fn adapters<'a>(
    model: *const u8,
    list: *const *const u8,
    count: u32,
) -> Option<([Option<Adapted<'a>>; ADAPTERS_MAX], Ranks)> {
    let mut all = [None; ADAPTERS_MAX];
    let mut ranks = Ranks::default();
    let places = all.get_mut(..count as usize)?;
    for (index, place) in places.iter_mut().enumerate() {
        // SAFETY: The caller's promise.
        let adapter = unsafe { adapted(*list.add(index), model)? };
        ranks.add(adapter.adapter.rank)?;
        *place = Some(adapter);
    }
    Some((all, ranks))
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_size(
    model: *const u8,
    adapters: *const *const u8,
    adapter_count: u32,
    shape: *const StepShape,
    kv_type: u32,
    size: *mut StepSize,
) -> i32 {
    // SAFETY: The rules of the wall: a loaded model and its adapters, a readable shape, an output.
    unsafe {
        let of = self::adapters(model, adapters, adapter_count);
        let (Some(Loaded { model, .. }), Some((_, ranks))) = (loaded(model), of) else {
            return fault::ARGUMENT;
        };
        let model = &model.shape;
        let places = places(model, ranks, &*shape);
        let (Some(places), Some(kv_type)) = (places, KvType::new(kv_type)) else {
            return fault::ARGUMENT;
        };
        size.write(StepSize {
            step_bytes: places.bytes as u64,
            kv_block_bytes: model.block_bytes(kv_type),
            state_bytes: state::bytes(model.state_values),
        });
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall; the model and the adapters live as long as the step.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_begin(
    step: *mut u8,
    step_bytes: usize,
    model: *const u8,
    adapters: *const *const u8,
    adapter_count: u32,
    shape: *const StepShape,
) -> i32 {
    // SAFETY: The rules of the wall: a loaded model, a readable shape, and zeroed, exclusive memory,
    // which is a valid head but for its places.
    unsafe {
        let shape = *shape;
        let Some((adapters, ranks)) = self::adapters(model, adapters, adapter_count) else {
            return fault::ARGUMENT;
        };
        let places = loaded(model).and_then(|loaded| places(&loaded.model.shape, ranks, &shape));
        let Some(places) = places else {
            return fault::ARGUMENT;
        };
        if places.bytes > step_bytes {
            return fault::ARGUMENT;
        }
        let head = step.cast::<Head>();
        (&raw mut (*head).model).write(model);
        (&raw mut (*head).adapters).write(adapters);
        (&raw mut (*head).adapter_count).write(adapter_count as usize);
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
    pass: u32,
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
        let begin = |row: &Row, count| Versions::begin(row, count);
        let set = head.batch.set(rows, &head.shape, &model.shape, pass, begin);
        if let Err(status) = set {
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
pub unsafe extern "C" fn sislm_engine_step_chunks(
    step: *const u8,
    stage: u32,
    slot: u32,
    first: u32,
    count: u32,
) -> i32 {
    // SAFETY: The rules of the wall.
    match unsafe { chunk::run(step, stage, slot, first, count) } {
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

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_step_hidden_state(
    step: *const u8,
    row: u32,
    state: *mut *const u8,
) -> i32 {
    // SAFETY: The rules of the wall: a step after its last stage, only read; an output.
    unsafe {
        let head = &*step.cast::<Head>();
        state.write(core::ptr::null());
        let batch = &head.batch;
        let asked = batch.rows().get(row as usize);
        let (Some(asked), Some(loaded)) = (asked, loaded(head.model)) else {
            return fault::ARGUMENT;
        };
        let is_last = batch.part() + 1 == loaded.model.shape.passes();
        if asked.flags & ROW_HIDDEN_STATE == 0 || !is_last {
            return fault::ARGUMENT;
        }
        if batch.failed(row as usize) {
            return fault::NUMERIC;
        }
        let stride = head.places.width * size_of::<f32>();
        state.write(step.add(head.places.residual.offset + row as usize * stride));
    }
    DONE
}
