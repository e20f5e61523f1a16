// SPDX-License-Identifier: GPL-2.0
//! The unit of the attention stage: a tile of rows, one key and value head with the heads that
//! share it, and one segment of positions.

use crate::simd::activation::TILE_ROWS;
use crate::simd::halves;
use crate::simd::pieces::pieces_mut;
use crate::step::attention::Partial;
use crate::step::attention::Tile;
use crate::step::attention::attend;
use crate::step::attention::partial_values;
use crate::step::kv::KvType;
use crate::step::kv::SEGMENT;
use crate::step::kv::TILE;
use crate::step::task::Task;
use crate::wall::cache::Blocks;
use crate::wall::pod;

/// A unit of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Tile of [`TILE_ROWS`] rows.
    pub tile: usize,
    /// Key and value head.
    pub head: u32,
    /// Segment of 256 positions.
    pub segment: u32,
}

impl Unit {
    /// Unit `index` of the stage: segments run fastest, then heads.
    pub fn new(task: &Task<'_>, index: u32) -> Option<Unit> {
        let (segments, heads) = (task.batch.segments(), task.model.shape.kv_heads);
        let rest = index.checked_div(segments)?;
        Some(Unit {
            tile: rest.checked_div(heads)? as usize,
            head: rest.checked_rem(heads)?,
            segment: index.checked_rem(segments)?,
        })
    }

    /// Index of the partial results of `row`, in units of the heads that share keys.
    pub fn partials(&self, task: &Task<'_>, row: usize) -> usize {
        let heads = task.model.shape.kv_heads as usize;
        let head = row * heads + self.head as usize;
        head * task.batch.segments() as usize + self.segment as usize
    }
}

/// What one row brings to a unit.
pub struct Attendant<'a> {
    /// Its position.
    pub position: usize,
    /// Its queries: (head of the group, dimension).
    pub queries: &'a [f32],
    /// Its cache.
    pub blocks: Blocks<'a>,
    /// Its results: (head of the group, values).
    pub partials: &'a mut [f32],
}

/// Attends to a segment of `layer` with the rows of a unit; the results of a row that does not
/// reach the segment stay as they are. `room` is for the keys and values of a tile as f32: rows of
/// one sequence share them.
pub fn run(
    task: &Task<'_>,
    unit: Unit,
    layer: u32,
    attendants: &mut [Option<Attendant<'_>>; TILE_ROWS],
    room: &mut [f32],
) -> Option<()> {
    let head_size = task.model.shape.head_size as usize;
    let start = unit.segment as usize * SEGMENT;
    let attendants = attendants.iter_mut().flatten();
    let mut attendants = attendants.filter(|row| row.position >= start);
    let mut rows: [Option<&mut Attendant<'_>>; TILE_ROWS] =
        core::array::from_fn(|_| attendants.next());
    let mut end = start;
    for row in rows.iter_mut().flatten() {
        end = end.max(row.position + 1).min(start + SEGMENT);
        for partial in pieces_mut(row.partials, partial_values(head_size)) {
            Partial::view(partial, head_size)?.clear();
        }
    }
    let mut widened = core::ptr::null();
    for first in (start..end).step_by(TILE) {
        for row in rows.iter_mut().flatten() {
            let Some(reach) = row.position.checked_sub(first) else {
                continue;
            };
            let bytes = row.blocks.head((first / TILE) as u32, layer, unit.head)?;
            let values = match row.blocks.kv_type() {
                KvType::F32 => pod::cast(bytes)?,
                KvType::F16 => {
                    let room = room.get_mut(..bytes.len() / 2)?;
                    if widened != bytes.as_ptr() {
                        widened = bytes.as_ptr();
                        halves::widen(task.model.level, bytes, room);
                    }
                    &*room
                }
            };
            let (keys, values) = values.split_at_checked(values.len() / 2)?;
            let count = (reach + 1).min(TILE);
            let tile = Tile {
                keys,
                values,
                count,
            };
            attend(tile, row.queries, head_size, row.partials);
        }
    }
    Some(())
}
