// SPDX-License-Identifier: GPL-2.0
//! The functions that read the header of a file.

use crate::abi::ALIGN;
use crate::abi::DONE;
use crate::abi::Header;
use crate::abi::Limits;
use crate::abi::MORE;
use crate::abi::Plan;
use crate::abi::Refusal;
use crate::abi::SEGMENT_BYTES_MAX;
use crate::abi::Text;
use crate::abi::fault;
use crate::gguf::FIXED_BYTES;
use crate::gguf::Parser;
use crate::gguf::Progress;
use crate::model::adapter::tensor::Base;
use crate::model::layer_shape::LayerShapes;
use crate::model::load::Failure;
use crate::model::load::Load;
use crate::model::load::tensors_of;
use crate::model::plan::Tensor;
use crate::simd::level::Level;
use crate::wall::load::refuse;
use crate::wall::load::state::Head;
use crate::wall::load::state::Parts;
use crate::wall::load::state::parts;
use crate::wall::load::state::size;
use crate::wall::load::status;
use crate::wall::model::Loaded;
use crate::wall::model::MODEL;
use crate::wall::model::loaded;
use core::slice;

/// Whether segments are of a size that the engine can lay out.
fn segments_fit(limits: &Limits) -> bool {
    let bytes = limits.segment_bytes;
    bytes > 0 && bytes <= SEGMENT_BYTES_MAX && (bytes as usize).is_multiple_of(ALIGN)
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_size(
    prefix: *const u8,
    bytes: usize,
    header: *mut Header,
    size: *mut u64,
    refusal: *mut Refusal,
) -> i32 {
    // SAFETY: The rules of the wall: `prefix` has `bytes` bytes, the others are valid for a write.
    unsafe {
        let prefix = slice::from_raw_parts(prefix, bytes);
        let parser = match Parser::new(prefix, u64::MAX) {
            None => {
                header.write(Header {
                    need: FIXED_BYTES as u64,
                });
                return fault::SHORT;
            }
            Some(Err(reason)) => return refuse(reason, refusal),
            Some(Ok(parser)) => parser,
        };
        let table = usize::try_from(parser.table_bytes()).ok();
        let all = table.and_then(|table| self::size(tensors_of(prefix)?, table));
        let Some((_, all)) = all else {
            return fault::ARGUMENT;
        };
        size.write(all as u64);
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall; the CPU has the instructions of `limits.simd`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_begin(
    load: *mut u8,
    load_bytes: usize,
    limits: *const Limits,
    prefix: *const u8,
    bytes: usize,
    base: *const u8,
) -> i32 {
    // SAFETY: The rules of the wall: `limits` is readable and `prefix` has `bytes` bytes.
    let (limits, prefix) = unsafe { (&*limits, slice::from_raw_parts(prefix, bytes)) };
    // SAFETY: The caller's promise about the CPU.
    let level = unsafe { Level::new(limits.simd) };
    let begun = level.and_then(|level| {
        let load = Load::new(limits, level, prefix)?;
        let table_bytes = Parser::new(prefix, limits.file_bytes)?.ok()?.table_bytes();
        Some((
            load,
            tensors_of(prefix)?,
            usize::try_from(table_bytes).ok()?,
        ))
    });
    let Some((state, tensors, table_bytes)) = begun else {
        return fault::ARGUMENT;
    };
    match size(tensors, table_bytes) {
        Some((_, all)) if all <= load_bytes && limits.context > 0 && segments_fit(limits) => {}
        _ => return fault::ARGUMENT,
    }
    let head = Head {
        tensors,
        table_bytes,
        model: core::ptr::null_mut(),
        model_bytes: 0,
        base,
        memory: None,
        load: state,
    };
    let of = if base.is_null() {
        None
    } else {
        // SAFETY: The rules of the wall: a model, which stays meanwhile.
        let model = unsafe { loaded(base) }.map(|loaded| loaded.model);
        let Some(model) = model.filter(|model| level == Some(model.level)) else {
            return fault::ARGUMENT;
        };
        Some(&model.shape)
    };
    // SAFETY: `load` is aligned, exclusive and large enough, as just checked.
    unsafe {
        load.cast::<Head>().write(head);
        if let Some(shape) = of {
            (*load.cast::<Head>()).load.adapt(shape);
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
pub unsafe extern "C" fn sislm_engine_load_header(
    load: *mut u8,
    prefix: *const u8,
    bytes: usize,
    budget: u32,
    header: *mut Header,
    refusal: *mut Refusal,
) -> i32 {
    // SAFETY: The rules of the wall: a begun load, a prefix of `bytes` bytes, two outputs.
    unsafe {
        let prefix = slice::from_raw_parts(prefix, bytes);
        let Some(parts) = parts(load) else {
            return fault::ARGUMENT;
        };
        let progress = parts.head.load.header(prefix, parts.table, budget);
        let result = progress.map(|progress| match progress {
            Progress::Done => DONE,
            Progress::More => MORE,
            Progress::Short { need } => {
                header.write(Header { need });
                fault::SHORT
            }
        });
        status(result, refusal)
    }
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_string(
    load: *mut u8,
    prefix: *const u8,
    bytes: usize,
    key: *const u8,
    key_bytes: usize,
    text: *mut Text,
) -> i32 {
    // SAFETY: The rules of the wall: a begun load, a prefix of `bytes` bytes and a key of `key_bytes`,
    // an output.
    unsafe {
        let prefix = slice::from_raw_parts(prefix, bytes);
        let key = slice::from_raw_parts(key, key_bytes);
        let Some(parts) = parts(load) else {
            return fault::ARGUMENT;
        };
        let Ok(span) = parts.head.load.string(prefix, parts.table, key) else {
            return fault::ARGUMENT;
        };
        let told = span.map_or(Text::NONE, |span| Text {
            offset: u64::from(span.offset),
            bytes: u64::from(span.length),
        });
        text.write(told);
    }
    DONE
}

/// See `sislm_wall!`.
///
/// # Safety
///
/// The rules of the wall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sislm_engine_load_plan(
    load: *mut u8,
    prefix: *const u8,
    bytes: usize,
    plan: *mut Plan,
    refusal: *mut Refusal,
) -> i32 {
    // SAFETY: The rules of the wall: a begun load, a prefix of `bytes` bytes, two outputs.
    unsafe {
        let prefix = slice::from_raw_parts(prefix, bytes);
        let Some(Parts {
            head,
            presence,
            shapes,
            tensors,
            table,
        }) = parts(load)
        else {
            return fault::ARGUMENT;
        };
        let result = if head.base.is_null() {
            head.load.plan(prefix, table, tensors, presence, shapes)
        } else {
            plan_adapter(head, prefix, table, tensors, shapes)
        };
        let result = result.map(|planned| {
            let model_bytes = planned.model_bytes + MODEL as u64;
            plan.write(Plan {
                model_bytes,
                ..planned
            });
            DONE
        });
        status(result, refusal)
    }
}

/// [`Load::plan_adapter`], with the shapes of the model's layers in `shapes`.
///
/// # Safety
///
/// The rules of the wall.
#[inline(never)]
unsafe fn plan_adapter(
    head: &mut Head,
    prefix: &[u8],
    table: &[u8],
    tensors: &mut [Tensor],
    shapes: &mut LayerShapes,
) -> Result<Plan, Failure> {
    // SAFETY: The rules of the wall: the model stays until the adapter is gone.
    let Loaded { model, layers, .. } = unsafe { loaded(head.base).ok_or(Failure::Misuse)? };
    for (shape, layer) in shapes.all.iter_mut().zip(layers) {
        *shape = layer.shape;
    }
    let base = Base { model, layers };
    head.load.plan_adapter(prefix, table, tensors, &base)
}
