// SPDX-License-Identifier: GPL-2.0
//! The memory of a model as the wall hands it around: where its segments are, the model, its layers.

use core::slice;

use crate::abi::ALIGN;
use crate::abi::Facts;
use crate::abi::Segment;
use crate::memory::arena::Arena;
use crate::model::Layer;
use crate::model::Model;

/// Start of a model's memory.
#[repr(C)]
pub struct Handle {
    segments: *const Segment,
    vocabulary: *const u8,
    vocabulary_bytes: usize,
    count: u32,
    /// 1 when the load is finished.
    sealed: u32,
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
}

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
        }
    }

    /// Seals the model: it is finished.
    ///
    /// # Safety
    ///
    /// `model` begins a model's memory, exclusive, and the model is complete.
    pub unsafe fn seal(model: *mut u8, facts: &Facts) {
        let handle = model.cast::<Handle>();
        // SAFETY: The caller's promise.
        unsafe {
            (&raw mut (*handle).facts).write(*facts);
            (&raw mut (*handle).sealed).write(1);
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
        if handle.sealed == 0 {
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

/// The facts of a model; `None` when its load is not finished.
///
/// # Safety
///
/// `model` begins a model's memory, and nobody writes it.
pub unsafe fn facts(model: *const u8) -> Option<Facts> {
    // SAFETY: The caller's promise; zero is a valid handle, and not sealed.
    let handle = unsafe { &*model.cast::<Handle>() };
    (handle.sealed != 0).then_some(handle.facts)
}
