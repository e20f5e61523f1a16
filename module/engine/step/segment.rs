// SPDX-License-Identifier: GPL-2.0
//! The unit of the attention stage: one row, one key and value head with the heads that share it,
//! and one segment of positions.

use crate::simd::halves;
use crate::simd::level::Level;
use crate::simd::pieces::pieces_mut;
use crate::step::attention::Partial;
use crate::step::attention::Tile;
use crate::step::attention::attend;
use crate::step::attention::partial_values;
use crate::step::input::Rows;
use crate::step::kv::KvType;
use crate::step::kv::SEGMENT;
use crate::step::kv::TILE;
use crate::step::task::Task;
use crate::wall::cache::Blocks;
use crate::wall::pod;

/// A unit of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    /// Row of the batch.
    pub row: usize,
    /// Layer.
    pub layer: u32,
    /// Key and value head.
    pub head: u32,
    /// Segment of 256 positions.
    pub segment: u32,
}

/// Row, head and segment of unit `index`: segments run fastest, then heads.
pub fn locate(task: &Task<'_>, index: u32) -> Option<(usize, u32, u32)> {
    let (segments, heads) = (task.batch.segments(), task.model.shape.kv_heads);
    let rest = index.checked_div(segments)?;
    let segment = index.checked_rem(segments)?;
    Some((
        rest.checked_div(heads)? as usize,
        rest.checked_rem(heads)?,
        segment,
    ))
}

/// Attends to a segment. `room` is for the keys and values of a tile as f32; `partials` are
/// (head of the group, values), and stay as they are when the row does not reach the segment.
pub fn run(
    task: &Task<'_>,
    unit: Unit,
    queries: Rows<'_>,
    blocks: Blocks<'_>,
    room: &mut [f32],
    partials: &mut [f32],
) -> Option<()> {
    let shape = &task.model.shape;
    let head_size = shape.head_size as usize;
    let group = shape.group() as usize * head_size;
    let position = task.batch.rows().get(unit.row)?.position as usize;
    let start = unit.segment as usize * SEGMENT;
    if start > position {
        return Some(());
    }
    for partial in pieces_mut(partials, partial_values(head_size)) {
        Partial::view(partial, head_size)?.clear();
    }
    let first = (unit.head as usize).checked_mul(group)?;
    let query = queries
        .row(unit.row, first.checked_add(group)?)?
        .get(first..)?;
    let end = (start + SEGMENT).min(position + 1);
    let mut tile = start;
    while tile < end {
        let bytes = blocks.head((tile / TILE) as u32, unit.layer, unit.head)?;
        let values = widen(task.model.level, bytes, blocks.kv_type(), room)?;
        let (keys, values) = values.split_at_checked(values.len() / 2)?;
        let count = (end - tile).min(TILE);
        attend(
            Tile {
                keys,
                values,
                count,
            },
            query,
            head_size,
            partials,
        );
        tile += TILE;
    }
    Some(())
}

/// Stored values as f32: in place, or widened into `room`.
fn widen<'a>(
    level: Level,
    bytes: &'a [u8],
    kv_type: KvType,
    room: &'a mut [f32],
) -> Option<&'a [f32]> {
    match kv_type {
        KvType::F32 => pod::cast(bytes),
        KvType::F16 => {
            let room = room.get_mut(..bytes.len() / 2)?;
            halves::widen(level, bytes, room);
            Some(room)
        }
    }
}
