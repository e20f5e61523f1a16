// SPDX-License-Identifier: GPL-2.0
//! A model's memory: its descriptor, the segments of its arena, its vocabulary tables.

use super::{
    memory::{Memory, Owner},
    wall::{Plan, Segment},
};
use kernel::prelude::*;

pub(crate) use super::wall::Facts;

/// The memory of a model that is being loaded or is loaded.
///
/// # Invariants
///
/// `table` describes `segments`; none of the four moves or changes its size.
pub(crate) struct ModelMemory {
    descriptor: Memory,
    vocabulary: Memory,
    segments: KVec<Memory>,
    table: KVec<Segment>,
}

// SAFETY: The addresses in `table` are those of `segments`, which may go anywhere.
unsafe impl Send for ModelMemory {}
// SAFETY: Only a load writes, and it owns the value.
unsafe impl Sync for ModelMemory {}

impl ModelMemory {
    /// Takes what `plan` asks for, in segments of `segment_bytes`. `pause` is called between segments
    /// and may end it.
    pub(super) fn new(
        plan: &Plan,
        segment_bytes: usize,
        mut pause: impl FnMut() -> Result,
    ) -> Result<Self> {
        let mut memory = Self {
            descriptor: Memory::sized(plan.model_bytes, Owner::Model)?,
            vocabulary: Memory::sized(plan.vocabulary_bytes, Owner::Model)?,
            segments: KVec::new(),
            table: KVec::new(),
        };
        let mut left = usize::try_from(plan.arena_bytes).map_err(|_| ENOMEM)?;
        while left > 0 {
            pause()?;
            let bytes = left.min(segment_bytes);
            let segment = Memory::new(bytes, Owner::Model)?;
            let entry = Segment {
                base: segment.base(),
                bytes,
            };
            memory.segments.push(segment, GFP_KERNEL)?;
            memory.table.push(entry, GFP_KERNEL)?;
            left = left.saturating_sub(bytes);
        }
        Ok(memory)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        let arena: u64 = self
            .segments
            .iter()
            .map(|segment| segment.len() as u64)
            .sum();
        arena
            .saturating_add(self.descriptor.len() as u64)
            .saturating_add(self.vocabulary.len() as u64)
    }

    /// The vocabulary tables, for the engine.
    pub(super) fn vocabulary(&self) -> (*mut u8, usize) {
        (self.vocabulary.base(), self.vocabulary.len())
    }

    /// The descriptor, for the engine.
    pub(super) fn descriptor(&self) -> (*mut u8, usize) {
        (self.descriptor.base(), self.descriptor.len())
    }

    /// The segment table, for the engine.
    pub(super) fn table(&self) -> &[Segment] {
        &self.table
    }
}

/// The engine's view of a sealed model.
pub(super) fn engine_pointer(model: &ModelMemory) -> *const u8 {
    model.descriptor.base()
}
