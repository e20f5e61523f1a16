// SPDX-License-Identifier: GPL-2.0
//! The memory of a model as the wall hands it around: where its segments are, the model, its layers.

use core::slice;

use crate::abi::ALIGN;
use crate::abi::Facts;
use crate::abi::Segment;
use crate::memory::arena::Arena;
use crate::model::Layer;
use crate::model::Model;
use crate::model::adapter::Adapted;
use crate::model::adapter::Adapter;

/// Start of a model's memory.
#[repr(C)]
pub struct Handle {
    segments: *const Segment,
    vocabulary: *const u8,
    vocabulary_bytes: usize,
    count: u32,
    /// What it is, once the load is finished: [`MODEL_SEAL`] or [`ADAPTER_SEAL`].
    sealed: u32,
    /// Of an adapter the model that it is for.
    base: *const u8,
    facts: Facts,
}

/// Where the memory of a model is, beside its descriptor.
#[derive(Clone, Copy)]
pub struct Parts {
    /// The segments of its arena.
    pub segments: *const Segment,
    /// Number of segments.
    pub count: u32,
    /// The vocabulary tables.
    pub vocabulary: *mut u8,
    /// Bytes of the vocabulary tables.
    pub vocabulary_bytes: usize,
    /// Of an adapter the model that it is for, else null.
    pub base: *const u8,
}

/// A finished model.
pub const MODEL_SEAL: u32 = 1;
/// A finished adapter.
pub const ADAPTER_SEAL: u32 = 2;

/// Offset of the model.
pub const MODEL: usize = size_of::<Handle>().next_multiple_of(ALIGN);

impl Handle {
    /// Fills the handle of a model in the making, which is zero so far.
    ///
    /// # Safety
    ///
    /// `model` begins a model's memory, zeroed and exclusive.
    pub unsafe fn open(model: *mut u8, parts: &Parts) {
        let handle = model.cast::<Handle>();
        // SAFETY: The caller's promise.
        unsafe {
            (&raw mut (*handle).segments).write(parts.segments);
            (&raw mut (*handle).count).write(parts.count);
            (&raw mut (*handle).vocabulary).write(parts.vocabulary);
            (&raw mut (*handle).vocabulary_bytes).write(parts.vocabulary_bytes);
            (&raw mut (*handle).base).write(parts.base);
        }
    }

    /// Seals the model or adapter, as `seal` says: it is finished.
    ///
    /// # Safety
    ///
    /// `model` begins a model's memory, exclusive, and what `seal` says is complete there.
    pub unsafe fn seal(model: *mut u8, facts: &Facts, seal: u32) {
        let handle = model.cast::<Handle>();
        // SAFETY: The caller's promise.
        unsafe {
            (&raw mut (*handle).facts).write(*facts);
            (&raw mut (*handle).sealed).write(seal);
        }
    }
}

/// A loaded model.
#[derive(Clone, Copy)]
pub struct Loaded<'a> {
    /// Shape and places.
    pub model: &'a Model,
    /// Its layers.
    pub layers: &'a [Layer],
    /// Its weights.
    pub arena: Arena<'a>,
    /// Its vocabulary tables.
    pub vocabulary: &'a [u8],
}

/// Views a model; `None` when its load is not finished.
///
/// # Safety
///
/// `model` begins a model's memory; it, its segments and its vocabulary stay for `'a`, and nobody
/// writes them.
pub unsafe fn loaded<'a>(model: *const u8) -> Option<Loaded<'a>> {
    // SAFETY: The load wrote a handle, the model and its layers; the caller's promise.
    unsafe {
        let handle = &*model.cast::<Handle>();
        if handle.sealed != MODEL_SEAL {
            return None;
        }
        let at = model.add(MODEL).cast::<Model>();
        let layers = slice::from_raw_parts(at.add(1).cast(), (*at).shape.layers as usize);
        Some(Loaded {
            model: &*at,
            layers,
            arena: Arena::new(handle.segments, handle.count),
            vocabulary: slice::from_raw_parts(handle.vocabulary, handle.vocabulary_bytes),
        })
    }
}

/// Views an adapter; `None` when its load is not finished, or was for another model than `base`.
///
/// # Safety
///
/// `adapter` begins the memory of an adapter; it and its segments stay for `'a`, and nobody writes them.
pub unsafe fn adapted<'a>(adapter: *const u8, base: *const u8) -> Option<Adapted<'a>> {
    // SAFETY: The load wrote a handle, the adapter and what it has of the layers; the caller's promise.
    unsafe {
        let handle = &*adapter.cast::<Handle>();
        if handle.sealed != ADAPTER_SEAL || handle.base != base {
            return None;
        }
        let at = adapter.add(MODEL).cast::<Adapter>();
        let count = (*at).layers as usize;
        Some(Adapted {
            adapter: &*at,
            layers: slice::from_raw_parts(at.add(1).cast(), count),
            arena: Arena::new(handle.segments, handle.count),
        })
    }
}

/// The facts of a model; `None` when its load is not finished.
///
/// # Safety
///
/// `model` begins a model's memory, and nobody writes it.
pub unsafe fn facts(model: *const u8) -> Option<Facts> {
    // SAFETY: The caller's promise; zero is a valid handle, and not sealed.
    let handle = unsafe { &*model.cast::<Handle>() };
    (handle.sealed == MODEL_SEAL).then_some(handle.facts)
}
