// SPDX-License-Identifier: GPL-2.0
//! The state of a load, in the memory of the caller.

use crate::abi::ALIGN;
use crate::memory::arena::Arena;
use crate::model::Layer;
use crate::model::Model;
use crate::model::adapter::AdaptedLayer;
use crate::model::adapter::Adapter;
use crate::model::layer_shape::LayerShapes;
use crate::model::load::Load;
use crate::model::made::Made;
use crate::model::plan::Tensor;
use crate::model::presence::Presence;
use crate::wall::model::Parts as Memory;
use core::slice;

/// The load state: this head, then the presence of parts, the shapes of the layers, the tensors, and
/// the parser's table.
#[repr(C)]
pub(super) struct Head {
    pub(super) tensors: usize,
    pub(super) table_bytes: usize,
    pub(super) model: *mut u8,
    pub(super) model_bytes: usize,
    /// Of an adapter the model that it is for, else null.
    pub(super) base: *const u8,
    /// What the model is made of; none before `load_attach`.
    pub(super) memory: Option<Memory>,
    pub(super) load: Load,
}

/// Offset of the presence of parts.
pub(super) const PRESENCE: usize = size_of::<Head>().next_multiple_of(ALIGN);

/// Offset of the shapes of the layers.
pub(super) const SHAPES: usize = (PRESENCE + size_of::<Presence>()).next_multiple_of(ALIGN);

/// Offset of the tensors.
pub(super) const TENSORS: usize = (SHAPES + size_of::<LayerShapes>()).next_multiple_of(ALIGN);

/// What an exclusive call sees of the load state.
pub(super) struct Parts<'a> {
    pub(super) head: &'a mut Head,
    pub(super) presence: &'a mut Presence,
    pub(super) shapes: &'a mut LayerShapes,
    pub(super) tensors: &'a mut [Tensor],
    pub(super) table: &'a mut [u8],
}

/// Offset of the parser's table, and all bytes of the state.
pub(super) fn size(tensors: usize, table_bytes: usize) -> Option<(usize, usize)> {
    let table = tensors
        .checked_mul(size_of::<Tensor>())?
        .checked_add(TENSORS)?;
    Some((table, table.checked_add(table_bytes)?))
}

/// The parts of the state at `load`.
///
/// # Safety
///
/// `load` was made by `sislm_engine_load_begin` and is exclusive for `'a`.
pub(super) unsafe fn parts<'a>(load: *mut u8) -> Option<Parts<'a>> {
    // SAFETY: `load_begin` wrote the head and checked that the state is as large as `size` says;
    // the rest was zeroed, which are valid presences, shapes, tensors and a table; the parts do not overlap.
    unsafe {
        let head = &mut *load.cast::<Head>();
        let (table, _) = size(head.tensors, head.table_bytes)?;
        Some(Parts {
            presence: &mut *load.add(PRESENCE).cast(),
            shapes: &mut *load.add(SHAPES).cast(),
            tensors: slice::from_raw_parts_mut(load.add(TENSORS).cast(), head.tensors),
            table: slice::from_raw_parts_mut(load.add(table), head.table_bytes),
            head,
        })
    }
}

/// What a load makes.
///
/// # Safety
///
/// The load is attached, and nobody else uses the model for `'a`.
pub(super) unsafe fn made<'a>(head: &Head) -> Option<Made<'a>> {
    let layers = head.load.layers()?;
    if head.model.is_null() || head.model_bytes < made_bytes(&head.load)? {
        return None;
    }
    // SAFETY: `load_attach` wrote the model, or there is an adapter, which zeroes are; layers follow it and
    // were zeroed, which is an empty layer; the memory is large enough, and exclusive by the caller's
    // promise.
    unsafe {
        if head.load.is_adapter() {
            let adapter = head.model.cast::<Adapter>();
            let layers = adapter.add(1).cast::<AdaptedLayer>();
            let layers = slice::from_raw_parts_mut(layers, head.load.layers()? as usize);
            return Some(Made::Adapter(&mut *adapter, layers));
        }
        let model = head.model.cast::<Model>();
        let layers = slice::from_raw_parts_mut(model.add(1).cast::<Layer>(), layers as usize);
        Some(Made::Model(&mut *model, layers))
    }
}

/// Bytes of what a load makes.
pub(super) fn made_bytes(load: &Load) -> Option<usize> {
    let layers = load.layers()?;
    if load.is_adapter() {
        Adapter::bytes(layers)
    } else {
        Model::bytes(layers)
    }
}

/// The arena of an attached load.
///
/// # Safety
///
/// The segments live for `'a`, and are used as [`Arena::new`] says.
pub(super) unsafe fn arena<'a>(head: &Head) -> Option<Arena<'a>> {
    let memory = head.memory?;
    // SAFETY: `load_attach` was given them; the caller's promise.
    Some(unsafe { Arena::new(memory.segments, memory.count) })
}
