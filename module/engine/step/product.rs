// SPDX-License-Identifier: GPL-2.0
//! Products of a range of groups with all rows of the batch.

use crate::math::finite::finite;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::simd::elementwise;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::input::Packed;
use crate::step::task::Task;

/// The groups of one chunk that lie side by side in memory, multiplied.
pub struct Products<'a> {
    /// First output of the matrix that is in `values`.
    pub first: usize,
    /// Outputs of each row that the matrix has; the rest of the last group is padding.
    pub count: usize,
    /// Outputs of each row in `values`: whole groups.
    width: usize,
    /// (row, `width`).
    values: &'a mut [f32],
}

impl<'a> Products<'a> {
    /// Multiplies up to `most` groups from `group` on with `rows` rows.
    pub fn new(
        task: &Task<'_>,
        matrix: &Matrix,
        group: u32,
        most: u32,
        rows: usize,
        input: Packed<'_>,
        room: &'a mut [f32],
    ) -> Option<Products<'a>> {
        let (groups, run) = matrix.groups.run(task.arena, group, most)?;
        let width = run as usize * GROUP_ROWS as usize;
        let values = room.get_mut(..rows.checked_mul(width)?)?;
        let columns = matrix.columns as usize;
        let packed = input.rows(matrix, rows)?;
        matrix
            .format
            .multiply(task.model.level, groups, columns, packed, rows, values)
            .ok()?;
        let first = group as usize * GROUP_ROWS as usize;
        let count = width.min((matrix.rows as usize).checked_sub(first)?);
        Some(Products {
            first,
            count,
            width,
            values,
        })
    }

    /// Groups multiplied.
    pub fn groups(&self) -> u32 {
        (self.width / GROUP_ROWS as usize) as u32
    }

    /// All values, padding included: (row, groups * 16).
    pub fn values(&mut self) -> &mut [f32] {
        self.values
    }

    /// Tells `fail` each row with a value that is not finite; padding is a sum of zeros.
    pub fn check(&self, fail: impl Fn(usize)) {
        if !finite(self.values) {
            for (row, values) in pieces(self.values, self.width).enumerate() {
                if !finite(values) {
                    fail(row);
                }
            }
        }
    }

    /// Adds `bias`, from the first output on, where there is one.
    pub fn add_bias(&mut self, bias: Option<&[f32]>) {
        if let Some(bias) = bias.and_then(|bias| bias.get(self.first..)) {
            for values in self.rows() {
                elementwise::add(values, bias);
            }
        }
    }

    /// The outputs of each row, rows ascending; padding is left out.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let count = self.count;
        pieces_mut(self.values, self.width).filter_map(move |row| row.get_mut(..count))
    }
}
