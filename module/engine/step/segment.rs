// SPDX-License-Identifier: GPL-2.0
//! The unit of the attention stage: a tile of rows, one key and value head with the heads that
//! share it, and one segment of positions.

use crate::memory::cache::Blocks;
use crate::memory::kv::KvType;
use crate::memory::kv::SEGMENT;
use crate::memory::kv::TILE;
use crate::model::layer_shape::LayerShape;
use crate::simd::activation::TILE_ROWS;
use crate::simd::attention::HEADS;
use crate::simd::attention::Head;
use crate::simd::attention::attend;
use crate::simd::attention::partial::Partial;
use crate::simd::attention::partial::partial_values;
use crate::simd::level::Level;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::task::Task;

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
    /// Unit `index` of the stage of a layer: segments run fastest, then heads.
    pub fn new(task: &Task<'_>, layer: &LayerShape, index: u32) -> Option<Unit> {
        let (segments, heads) = (task.batch.segments(), layer.kv_heads);
        let rest = index.checked_div(segments)?;
        Some(Unit {
            tile: rest.checked_div(heads)? as usize,
            head: rest.checked_rem(heads)?,
            segment: index.checked_rem(segments)?,
        })
    }

    /// Index of the partial results of `row`, in units of the heads that share keys.
    pub fn partials(&self, task: &Task<'_>, layer: &LayerShape, row: usize) -> usize {
        let heads = layer.kv_heads as usize;
        let head = row * heads + self.head as usize;
        head * task.batch.segments() as usize + self.segment as usize
    }
}

/// What one row brings to a unit.
pub struct Attendant<'a> {
    /// The last position that it attends to.
    pub last: usize,
    /// Its position.
    pub position: usize,
    /// The first position that it attends to.
    pub first: usize,
    /// Its queries: (head of the group, dimension).
    pub queries: &'a [f32],
    /// Its cache.
    pub blocks: Blocks<'a>,
    /// Its results: (head of the group, values).
    pub partials: &'a mut [f32],
}

/// Attends to a segment of a layer of shape `layer` with the rows of a unit, neighbours of one sequence together;
/// the results of a row that does not reach the segment stay as they are.
pub fn run(
    task: &Task<'_>,
    unit: Unit,
    layer: &LayerShape,
    attendants: &mut [Option<Attendant<'_>>; TILE_ROWS],
) -> Option<()> {
    let start = unit.segment as usize * SEGMENT;
    let mut rest = &mut attendants[..];
    while let [Some(first), others @ ..] = &*rest {
        let blocks = first.blocks;
        let same = |row: &&Option<Attendant<'_>>| {
            row.as_ref().is_some_and(|row| row.blocks.shares(&blocks))
        };
        let together = 1 + others.iter().take_while(same).count();
        let (rows, after) = core::mem::take(&mut rest).split_at_mut_checked(together)?;
        // Positions ascend: the last row reaches furthest.
        let longest = rows.last()?.as_ref()?;
        let (blocks, end) = (longest.blocks, longest.last + 1);
        // And the first row reaches furthest back.
        let back = rows.first()?.as_ref()?.first / TILE * TILE;
        let (start, end) = (start.max(back), end.min(start + SEGMENT));
        if start < end {
            let tiles = blocks.head(unit.head, start / TILE..end.div_ceil(TILE))?;
            sequence(task, layer, unit, start, blocks.kv_type(), tiles, rows)?;
        }
        rest = after;
    }
    Some(())
}

/// Attends with the heads of `rows`, which are of one sequence, as many at a time as share the
/// widening of keys and values.
fn sequence<'t>(
    task: &Task<'_>,
    layer: &LayerShape,
    unit: Unit,
    start: usize,
    kv_type: KvType,
    tiles: impl Iterator<Item = &'t [u8]> + Clone,
    rows: &mut [Option<Attendant<'_>>],
) -> Option<()> {
    let shape = &task.model.shape;
    let (size, cap) = (layer.head_size as usize, shape.scales.score_cap);
    let end = (unit.segment as usize + 1) * SEGMENT;
    let first_head = unit.head * layer.group();
    let level = task.model.level;
    let mut together = [const { None }; HEADS];
    let mut count = 0;
    for row in rows.iter_mut().flatten() {
        if row.last < start || row.first >= end {
            continue;
        }
        let (last, first, scale) = (row.last, row.first, shape.score_scale(row.position));
        let partials = pieces_mut(row.partials, partial_values(size));
        let queries = pieces(row.queries, layer.query_stride as usize);
        for (head, (query, partial)) in (first_head..).zip(queries.zip(partials)) {
            let query = query.get(..size)?;
            let mut partial = Partial::view(partial, size)?;
            partial.clear();
            *together.get_mut(count)? = Some(Head {
                query,
                partial,
                position: last,
                first,
                scale,
                cap,
                slope: shape.slope(head, layer.heads),
            });
            count += 1;
            if count == HEADS {
                attend_together(level, kv_type, &mut together, start, tiles.clone())?;
                count = 0;
            }
        }
    }
    attend_together(level, kv_type, &mut together, start, tiles)
}

/// Attends with up to four heads, and takes them away.
#[inline(always)]
fn attend_together<'t>(
    level: Level,
    kv_type: KvType,
    heads: &mut [Option<Head<'_>>; HEADS],
    start: usize,
    tiles: impl Iterator<Item = &'t [u8]>,
) -> Option<()> {
    match heads.each_mut().map(Option::take) {
        [None, ..] => Some(()),
        [Some(a), Some(b), Some(c), Some(d)] => {
            attend(level, kv_type, &mut [a, b, c, d], start, tiles)
        }
        [Some(a), Some(b), Some(c), None] => attend(level, kv_type, &mut [a, b, c], start, tiles),
        [Some(a), Some(b), ..] => attend(level, kv_type, &mut [a, b], start, tiles),
        [Some(a), ..] => attend(level, kv_type, &mut [a], start, tiles),
    }
}
