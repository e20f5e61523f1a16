// SPDX-License-Identifier: GPL-2.0
//! The unit of the attention stage: a tile of rows, one key and value head with the heads that
//! share it, and one segment of positions.

use crate::simd::activation::TILE_ROWS;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::attention::Head;
use crate::step::attention::Partial;
use crate::step::attention::Tile;
use crate::step::attention::attend;
use crate::step::attention::partial_values;
use crate::step::kv::SEGMENT;
use crate::step::kv::TILE;
use crate::step::task::Task;
use crate::wall::cache::Blocks;

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

impl<'a> Attendant<'a> {
    /// Keys and values of a head in the tile that begins at position `first`.
    fn head(&self, first: usize, layer: u32, head: u32) -> Option<&'a [u8]> {
        self.blocks.head((first / TILE) as u32, layer, head)
    }
}

/// Attends to a segment of `layer` with the rows of a unit; the results of a row that does not
/// reach the segment stay as they are.
pub fn run(
    task: &Task<'_>,
    unit: Unit,
    layer: u32,
    attendants: &mut [Option<Attendant<'_>>; TILE_ROWS],
) -> Option<()> {
    let head_size = task.model.shape.head_size as usize;
    let start = unit.segment as usize * SEGMENT;
    let mut end = start;
    for row in attendants.iter_mut().flatten() {
        if row.position >= start {
            end = end.max(row.position + 1).min(start + SEGMENT);
            for partial in pieces_mut(row.partials, partial_values(head_size)) {
                Partial::view(partial, head_size)?.clear();
            }
        }
    }
    for first in (start..end).step_by(TILE) {
        let mut rest = &mut attendants[..];
        while let Some(row) = rest.iter().flatten().find(|row| row.position >= first) {
            // Rows of one sequence share the tile; they lie side by side.
            let (bytes, kv_type) = (row.head(first, layer, unit.head)?, row.blocks.kv_type());
            let shares = |row: &Option<Attendant<'_>>| {
                row.as_ref().is_none_or(|row| {
                    let head = row.head(first, layer, unit.head);
                    row.position < first || head.is_some_and(|head| core::ptr::eq(head, bytes))
                })
            };
            let shared = rest.iter().take_while(|row| shares(row)).count();
            let (rows, others) = core::mem::take(&mut rest).split_at_mut_checked(shared)?;
            attend_together(task, Tile::new(bytes, kv_type), first, rows);
            rest = others;
        }
    }
    Some(())
}

/// Attends to a tile that begins at position `first` with `rows` of one sequence.
fn attend_together(
    task: &Task<'_>,
    tile: Tile<'_>,
    first: usize,
    rows: &mut [Option<Attendant<'_>>],
) {
    let head_size = task.model.shape.head_size as usize;
    let mut heads = rows.iter_mut().flatten().flat_map(|row| {
        let count = (row.position + 1).saturating_sub(first);
        let partials = pieces_mut(row.partials, partial_values(head_size));
        pieces(row.queries, head_size)
            .zip(partials)
            .filter(move |_| count > 0)
            .filter_map(move |(query, partial)| {
                Some(Head {
                    query,
                    partial: Partial::view(partial, head_size)?,
                    count,
                })
            })
    });
    loop {
        let together = core::array::from_fn(|_| heads.next());
        if together[0].is_none() {
            break;
        }
        attend(task.model.level, tile, together);
    }
}
