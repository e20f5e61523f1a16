// SPDX-License-Identifier: GPL-2.0
//! What adapters add to the products of a pass: for each pair of matrices A and B beside a matrix, B (A x)
//! times the scale of the row. A stage of its own computes A x for all rows, before that which
//! multiplies the matrix; rows without a scale are as without adapters.

use core::ops::Range;

use crate::abi::Row;
use crate::memory::arena::Arena;
use crate::memory::columns::Columns;
use crate::memory::pod;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::simd::activation::TILE_ROWS;
use crate::simd::elementwise;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::input::Input;
use crate::step::packing::Packed;
use crate::step::packing::Rows;
use crate::step::packing::pack_tile;
use crate::step::pairs;
use crate::step::pairs::Used;
use crate::step::task::Task;

/// What the first matrices of the pairs beside those of an input make of its rows.
#[derive(Clone, Copy)]
pub struct Reduced<'a> {
    /// The input.
    pub input: Input,
    /// (row, stride), pairs side by side.
    pub rows: Rows<'a>,
}

/// Groups of the stage that reduces `input`, and the bytes of the largest; `None` when there are none.
pub fn groups(task: &Task<'_>, input: Input) -> Option<(u32, u64)> {
    let mut all = (0, 0);
    for used in input.pairs(task) {
        let down = &used.pair.down;
        let bytes = u64::from(down.groups.item_bytes());
        all = (all.0 + down.group_count(), bytes.max(all.1));
    }
    (all.0 > 0).then_some(all)
}

/// Bytes of the second matrices that a group of the stage which multiplies `input` is extended by, at most.
#[inline(never)]
pub fn extension(task: &Task<'_>, input: Input) -> u64 {
    let ups = input.pairs(task).map(|used| used.pair.up);
    ups.map(|up| u64::from(up.groups.item_bytes())).sum()
}

/// Computes `groups` of the stage that reduces `input`, one pair after the other, for all rows.
pub fn reduce(
    task: &Task<'_>,
    input: Input,
    groups: Range<u32>,
    (packed, rows): (Packed<'_>, usize),
    room: &mut [f32],
    mut out: Columns<'_>,
) -> Option<()> {
    let mut before = 0;
    for used in input.pairs(task) {
        let (down, arena) = (&used.pair.down, used.adapter.arena);
        let count = down.group_count();
        let within = |group: u32| group.saturating_sub(before).min(count);
        let own = within(groups.start)..within(groups.end);
        let rows = (packed.rows(down, 0, rows)?, rows);
        for_each_run(
            task,
            down,
            arena,
            own,
            rows,
            room,
            |first, width, values| {
                for (row, values) in pieces(values, width).enumerate() {
                    elementwise::copy(values, out.row(row, used.column + first, width)?)?;
                }
                Some(())
            },
        )?;
        before += count;
    }
    Some(())
}

/// Adds to the `products` of `count` rows, (row, whole groups) of `groups` of `part`, what the adapters
/// have beside it; `room` is for one more product and the reduced rows.
#[inline(never)]
pub fn extend(
    task: &Task<'_>,
    (part, groups): (Part, Range<u32>),
    reduced: Reduced<'_>,
    count: usize,
    products: &mut [f32],
    room: &mut [f32],
) -> Option<()> {
    let all = products.len().checked_div(count)?;
    let row_of = |row: usize| {
        let row = reduced.input.row(task, row)?;
        task.batch.rows().get(row)
    };
    for used in reduced.input.pairs(task).filter(|used| used.part == part) {
        let (up, arena) = (&used.pair.up, used.adapter.arena);
        let rank = up.columns as usize;
        let (packed, room) = split(up, count, room)?;
        let row = |row: usize| {
            let values = reduced.rows.row(row, used.column + rank)?;
            values.get(used.column..)
        };
        let fail = |row: usize| {
            if let Some(row) = reduced.input.row(task, row) {
                task.batch.fail(row);
            }
        };
        let packed = pack(task, up, count, row, packed, fail)?;
        let rows = (packed, count);
        let start = groups.start as usize * GROUP_ROWS as usize;
        let own = groups.clone();
        for_each_run(task, up, arena, own, rows, room, |first, width, values| {
            let sums = pieces_mut(products, all);
            for (row, (sums, values)) in sums.zip(pieces(values, width)).enumerate() {
                let scale = used.scale(row_of(row)?)?;
                if scale != 0.0 {
                    let sums = sums
                        .get_mut(first.checked_sub(start)?..)?
                        .get_mut(..width)?;
                    elementwise::add_scaled(sums, scale, values)?;
                }
            }
            Some(())
        })?;
    }
    Some(())
}

/// Adds what the adapters have beside the token embeddings to `out`, the embedding of `row`, which is
/// number `index` of the batch.
#[inline(never)]
pub fn embed(
    task: &Task<'_>,
    (index, row): (usize, &Row),
    out: &mut [f32],
    room: &mut [f32],
) -> Option<()> {
    for (number, adapter) in pairs::in_use(task) {
        let Some(pair) = adapter.pair(None, Part::TokenEmbedding) else {
            continue;
        };
        let used = Used {
            number,
            adapter,
            part: Part::TokenEmbedding,
            pair,
            column: 0,
        };
        let scale = used.scale(row)?;
        if scale == 0.0 {
            continue;
        }
        let (up, arena) = (&pair.up, adapter.arena);
        let (reduced, room) = room.split_at_mut_checked(up.columns as usize)?;
        pair.down.row(arena, row.token, reduced)?;
        let (packed, room) = split(up, 1, room)?;
        let reduced = &*reduced;
        let packed = pack(
            task,
            up,
            1,
            |_| Some(reduced),
            packed,
            |_| task.batch.fail(index),
        )?;
        let all = 0..up.group_count();
        for_each_run(
            task,
            up,
            arena,
            all,
            (packed, 1),
            room,
            |first, width, values| {
                let sums = out.get_mut(first..)?;
                let width = width.min(sums.len());
                elementwise::add_scaled(sums.get_mut(..width)?, scale, values)
            },
        )?;
    }
    Some(())
}

/// Cuts `room` into that for `rows` reduced rows, a tile of them and all of them packed, and the rest.
fn split<'a>(
    up: &Matrix,
    rows: usize,
    room: &'a mut [f32],
) -> Option<(&'a mut [f32], &'a mut [f32])> {
    let rank = (up.columns as usize).checked_next_multiple_of(GROUP_ROWS as usize)?;
    room.split_at_mut_checked(rank.checked_mul(rows.checked_add(TILE_ROWS)?)?)
}

/// Packs `rows` reduced rows as `up` needs them; what [`split`] gave is `room`.
fn pack<'a, 'b>(
    task: &Task<'_>,
    up: &Matrix,
    rows: usize,
    row: impl Fn(usize) -> Option<&'b [f32]>,
    room: &'a mut [f32],
    fail: impl Fn(usize),
) -> Option<&'a [u8]> {
    let rank = up.columns as usize;
    let kind = up.format.activation();
    let bytes = kind.bytes(rank)?;
    let tile = rank
        .checked_next_multiple_of(GROUP_ROWS as usize)?
        .checked_mul(TILE_ROWS)?;
    let (values, packed) = room.split_at_mut_checked(tile)?;
    let packed = pod::bytes_mut(packed).get_mut(..rows.checked_mul(bytes)?)?;
    for first in (0..rows).step_by(TILE_ROWS) {
        let count = (rows - first).min(TILE_ROWS);
        let values = values.get_mut(..count.checked_mul(rank)?)?;
        for (index, values) in pieces_mut(values, rank).enumerate() {
            elementwise::copy(row(first + index)?, values)?;
        }
        let out = packed.get_mut(first.checked_mul(bytes)?..)?;
        let out = out.get_mut(..count.checked_mul(bytes)?)?;
        pack_tile(task, kind, rank, values, out, |index| fail(first + index))?;
    }
    Some(packed)
}

/// Multiplies `groups` of `matrix` with packed rows, and hands the products to `take`: the first output,
/// outputs of each row, and (row, output). As many at a time as `room` is for.
fn for_each_run(
    task: &Task<'_>,
    matrix: &Matrix,
    arena: Arena<'_>,
    groups: Range<u32>,
    (packed, rows): (&[u8], usize),
    room: &mut [f32],
    mut take: impl FnMut(usize, usize, &[f32]) -> Option<()>,
) -> Option<()> {
    let each = rows.checked_mul(GROUP_ROWS as usize)?;
    let most = u32::try_from(room.len().checked_div(each)?).ok()?;
    let mut next = groups.start;
    while next < groups.end {
        let left = (groups.end - next).min(most);
        let (weights, run) = matrix.groups.run(arena, next, left)?;
        let width = run as usize * GROUP_ROWS as usize;
        let values = room.get_mut(..rows.checked_mul(width)?)?;
        let (level, columns) = (task.model.level, matrix.columns as usize);
        let multiplied = matrix
            .format
            .multiply(level, weights, columns, packed, rows, values);
        multiplied.ok()?;
        take(next as usize * GROUP_ROWS as usize, width, values)?;
        next = next.checked_add(run).filter(|_| run > 0)?;
    }
    Some(())
}
