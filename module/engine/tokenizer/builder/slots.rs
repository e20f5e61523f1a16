// SPDX-License-Identifier: GPL-2.0
//! The slots of a hash table of the vocabulary's tables.

use crate::gguf::cells;
use crate::gguf::hash::probes;
use crate::tokenizer::vocabulary::slot;

/// Puts `number` in the first free slot of its hash.
pub(super) fn insert(slots: &mut [cells::Cell], hash: u64, number: u32) -> Option<()> {
    let free = probes(hash, slots.len()).find(|&at| cells::get(slots, at) == Some(0))?;
    cells::set(slots, free, slot(hash, number))
}

/// Puts `number` in the place of another one of its hash.
pub(super) fn replace(
    slots: &mut [cells::Cell],
    hash: u64,
    earlier: u32,
    number: u32,
) -> Option<()> {
    let wanted = Some(slot(hash, earlier));
    let place = probes(hash, slots.len()).find(|&at| cells::get(slots, at) == wanted)?;
    cells::set(slots, place, slot(hash, number))
}
