// SPDX-License-Identifier: GPL-2.0
//! The functions that take in what follows the header, and seal the model.

use crate::abi::DONE;
use crate::abi::Facts;
use crate::abi::MORE;
use crate::abi::Read;
use crate::abi::Refusal;
use crate::abi::Segment;
use crate::abi::fault;
use crate::memory::arena::Writer;
use crate::model::Model;
use crate::model::made::Made;
use crate::wall::load::state::Head;
use crate::wall::load::state::Parts;
use crate::wall::load::state::arena;
use crate::wall::load::state::made;
use crate::wall::load::state::made_bytes;
use crate::wall::load::state::parts;
use crate::wall::load::status;
use crate::wall::model::ADAPTER_SEAL;
use crate::wall::model::Handle;
use crate::wall::model::MODEL;
use crate::wall::model::MODEL_SEAL;
use crate::wall::model::Parts as Memory;
use core::slice;

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall; the segments and the vocabulary are those of the plan and live as long as
/// the model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_attach(
    load: *mut u8,
    model: *mut u8,
    model_bytes: usize,
    segments: *const Segment,
    count: u32,
    vocabulary: *mut u8,
    vocabulary_bytes: usize,
) -> i32 {
    // SAFETY: The rules of the wall: a begun load; zeroed, exclusive memory for the model.
    unsafe {
        let Some(parts) = parts(load) else {
            return fault::ARGUMENT;
        };
        let head = parts.head;
        let room = model_bytes.checked_sub(MODEL);
        let (Some(room), Some(empty)) = (room, head.load.empty_model()) else {
            return fault::ARGUMENT;
        };
        let is_adapter = head.load.is_adapter();
        let tables = match is_adapter {
            true => Some(0),
            false => head.load.vocabulary_bytes(),
        };
        if segments.is_null()
            || vocabulary.is_null()
            || made_bytes(&head.load).is_none_or(|needed| needed > room)
            || tables.is_none_or(|tables| tables > vocabulary_bytes)
        {
            return fault::ARGUMENT;
        }
        let memory = Memory {
            segments,
            count,
            vocabulary,
            vocabulary_bytes,
            base: head.base,
        };
        Handle::open(model, &memory);
        let place = model.add(MODEL);
        if !is_adapter {
            place.cast::<Model>().write(empty);
        }
        (head.model, head.model_bytes) = (place, room);
        head.memory = Some(memory);
        let Some(mut made) = made(head) else {
            return fault::ARGUMENT;
        };
        match head.load.attach(parts.tensors, parts.shapes, &mut made) {
            Ok(()) => DONE,
            Err(_) => fault::ARGUMENT,
        }
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_vocabulary(
    load: *mut u8,
    prefix: *const u8,
    bytes: usize,
    budget: u32,
    refusal: *mut Refusal,
) -> i32 {
    // SAFETY: The rules of the wall: an attached load, exclusive.
    unsafe {
        let prefix = slice::from_raw_parts(prefix, bytes);
        let Some(parts) = parts(load) else {
            return fault::ARGUMENT;
        };
        let Some(memory) = parts.head.memory else {
            return fault::ARGUMENT;
        };
        let tables = slice::from_raw_parts_mut(memory.vocabulary, memory.vocabulary_bytes);
        let load = &mut parts.head.load;
        let done = load.vocabulary(prefix, tables, budget);
        status(done.map(|done| if done { DONE } else { MORE }), refusal)
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_next(load: *mut u8, read: *mut Read) -> i32 {
    // SAFETY: The rules of the wall: an attached load, exclusive, and an output.
    unsafe {
        let Some(parts) = parts(load) else {
            return fault::ARGUMENT;
        };
        let Some(mut made) = made(parts.head) else {
            return fault::ARGUMENT;
        };
        let load = &mut parts.head.load;
        match load.next(parts.tensors, parts.shapes, &mut made) {
            Ok(next) => {
                read.write(next);
                DONE
            }
            Err(_) => fault::ARGUMENT,
        }
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_pack(
    load: *const u8,
    data: *const u8,
    bytes: usize,
    offset: u64,
    chunk: u32,
    refusal: *mut Refusal,
) -> i32 {
    // SAFETY: The rules of the wall: an attached load, only read while chunks run, and `bytes`
    // bytes of data. The chunks of a piece write different groups of the arena.
    unsafe {
        let data = slice::from_raw_parts(data, bytes);
        let head = &*load.cast::<Head>();
        let Some(arena) = arena(head) else {
            return fault::ARGUMENT;
        };
        let result = head.load.pack(data, offset, chunk, &mut Writer::new(arena));
        status(result.map(|()| DONE), refusal)
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_finish(
    load: *mut u8,
    budget: u32,
    facts: *mut Facts,
    refusal: *mut Refusal,
) -> i32 {
    // SAFETY: The rules of the wall: an attached load, exclusive, with it the whole arena, and two
    // outputs.
    unsafe {
        let Some(parts) = parts(load) else {
            return fault::ARGUMENT;
        };
        let model = match made(parts.head) {
            Some(Made::Model(model, _)) => model,
            Some(Made::Adapter(..)) => return finish_adapter(&parts, facts, refusal),
            None => return fault::ARGUMENT,
        };
        let Some(memory) = parts.head.memory else {
            return fault::ARGUMENT;
        };
        let tables = slice::from_raw_parts(memory.vocabulary, memory.vocabulary_bytes);
        let Some(arena) = arena(parts.head) else {
            return fault::ARGUMENT;
        };
        let (load, mut writer) = (&mut parts.head.load, Writer::new(arena));
        let result = load.finish(parts.tensors, model, tables, &mut writer, budget);
        let result = result.map(|told| match told {
            None => MORE,
            Some(told) => {
                facts.write(told);
                Handle::seal(parts.head.model.sub(MODEL), &told, MODEL_SEAL);
                DONE
            }
        });
        status(result, refusal)
    }
}

/// Seals an adapter.
///
/// # Safety
///
/// As of [`sislm_engine_load_finish`], of an adapter.
#[inline(never)]
unsafe fn finish_adapter(parts: &Parts<'_>, facts: *mut Facts, refusal: *mut Refusal) -> i32 {
    let result = parts.head.load.finish_adapter(parts.tensors);
    // SAFETY: The caller's promise.
    unsafe {
        let result = result.map(|told| {
            facts.write(told);
            Handle::seal(parts.head.model.sub(MODEL), &told, ADAPTER_SEAL);
            DONE
        });
        status(result, refusal)
    }
}
