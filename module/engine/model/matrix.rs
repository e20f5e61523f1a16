// SPDX-License-Identifier: GPL-2.0
//! A matrix of packed weights in the arena.

use crate::memory::arena::Arena;
use crate::memory::items::Items;
use crate::memory::items::Layout;
use crate::model::vector::Vector;
use crate::simd::format::Format;

/// Rows of a group: they lie interleaved, one in each lane.
pub const GROUP_ROWS: u32 = 16;

/// Packed weights: `rows` outputs of `columns` inputs, in groups of 16 rows. Those of experts lie one
/// behind the other, each beginning with a group of its own. A vector is kept as one row.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Matrix {
    /// Format of the packed weights.
    pub format: Format,
    /// Outputs; 0 when the model has no such matrix.
    pub rows: u32,
    /// Inputs.
    pub columns: u32,
    /// The groups; the last one of each expert is filled up with zero rows.
    pub groups: Items,
}

impl Matrix {
    /// No matrix.
    pub const NONE: Matrix = Matrix {
        format: Format::F32,
        rows: 0,
        columns: 0,
        groups: Items::NONE,
    };

    /// Takes room for a matrix for each of `experts`; `None` when a group is too large.
    pub fn new(
        layout: &mut Layout,
        format: Format,
        rows: u32,
        columns: u32,
        experts: u32,
    ) -> Option<Matrix> {
        let bytes = format.group_bytes(columns as usize)?;
        let groups = rows.div_ceil(GROUP_ROWS).checked_mul(experts)?;
        let groups = layout.items(bytes, groups)?;
        Some(Matrix {
            format,
            rows,
            columns,
            groups,
        })
    }

    /// Whether the model has this matrix.
    pub fn exists(&self) -> bool {
        self.rows != 0
    }

    /// Takes room for a vector of `length` values; `None` when it is too large.
    pub fn of_vector(layout: &mut Layout, length: u32) -> Option<Matrix> {
        Some(Matrix {
            format: Format::F32,
            rows: 1,
            columns: length,
            groups: *Vector::new(layout, length)?.items(),
        })
    }

    /// The vector that is kept as this one row.
    #[inline(always)]
    pub fn vector(&self) -> Vector {
        Vector::of(self.groups)
    }

    /// Number of groups, of an expert where there are some.
    pub fn group_count(&self) -> u32 {
        self.rows.div_ceil(GROUP_ROWS)
    }

    /// Row `row` as f32; `None` past the end, or when `out` is not as long as a row.
    pub fn row(&self, arena: Arena<'_>, row: u32, out: &mut [f32]) -> Option<()> {
        if row >= self.rows {
            return None;
        }
        let (group, _) = self.groups.run(arena, row / GROUP_ROWS, 1)?;
        let lane = (row % GROUP_ROWS) as usize;
        self.format
            .unpack_row(group, lane, self.columns as usize, out)
            .ok()
    }
}
