// SPDX-License-Identifier: GPL-2.0
//! Products of a range of groups with all rows of the batch.

use core::ops::Range;

use crate::math::finite::finite;
use crate::model::Layer;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::model::matrix::Matrix;
use crate::simd::elementwise;
use crate::simd::pieces::pieces;
use crate::simd::pieces::pieces_mut;
use crate::step::adapters;
use crate::step::adapters::Reduced;
use crate::step::packing::Packed;
use crate::step::task::Task;

/// A matrix and its bias.
#[derive(Clone, Copy)]
pub struct Projection<'a> {
    /// Which it is.
    part: Part,
    /// (outputs, inputs), for each expert where there are some.
    pub matrix: &'a Matrix,
    /// One value for each output, of each expert, or none.
    bias: &'a Matrix,
    /// First group of the expert.
    group: u32,
    /// First output of the expert.
    output: usize,
}

impl<'a> Projection<'a> {
    /// The matrix called `part`, with the vector kept as `bias` unless that is empty.
    #[inline(always)]
    pub fn new(part: Part, matrix: &'a Matrix, bias: &'a Matrix) -> Projection<'a> {
        Projection {
            part,
            matrix,
            bias,
            group: 0,
            output: 0,
        }
    }

    /// The matrix and bias of a layer.
    pub fn of(layer: &'a Layer, matrix: Part, bias: Part) -> Projection<'a> {
        Projection::new(matrix, layer.matrix(matrix), layer.matrix(bias))
    }

    /// The matrix of a layer, without a bias.
    pub fn without_bias(layer: &'a Layer, matrix: Part) -> Projection<'a> {
        Projection::new(matrix, layer.matrix(matrix), &Matrix::NONE)
    }

    /// The part of `expert`; `None` when there are fewer.
    pub fn expert(self, expert: u32) -> Option<Projection<'a>> {
        Some(Projection {
            group: expert.checked_mul(self.matrix.group_count())?,
            output: (expert as usize).checked_mul(self.matrix.rows as usize)?,
            ..self
        })
    }
}

/// What a range of groups is multiplied with.
#[derive(Clone, Copy)]
pub struct Operands<'a> {
    /// Activations, packed as the matrices need them.
    pub input: Packed<'a>,
    /// The first row of activations.
    pub first: usize,
    /// Number of rows of activations.
    pub rows: usize,
    /// What adapters make of them; `None` without adapters.
    pub reduced: Option<Reduced<'a>>,
}

/// The groups of one run, multiplied: they lie side by side in memory.
pub struct Products<'a> {
    /// First output of the matrix that is in `values`.
    pub first: usize,
    /// Outputs of each row that the matrix has; the rest of the last group is padding.
    count: usize,
    /// Outputs of each row in `values`: whole groups.
    width: usize,
    /// (row, `width`).
    values: &'a mut [f32],
}

/// Multiplies `groups` of each of `projections`, adds the biases, and hands the products to `take`
/// one run after the other; `room` is for the products of all of them.
///
/// A matrix may go on in another segment of the arena in the middle of `groups`, and a run ends where
/// any of the matrices does so. So the products of one call have the same shape and outputs.
/// `None` when the matrices differ in their number of outputs.
pub fn for_each_run<const N: usize>(
    task: &Task<'_>,
    projections: [Projection<'_>; N],
    groups: Range<u32>,
    operands: Operands<'_>,
    room: &mut [f32],
    mut take: impl FnMut([Products<'_>; N]) -> Option<()>,
) -> Option<()> {
    let outputs = projections.first()?.matrix.rows;
    if projections.iter().any(|part| part.matrix.rows != outputs) {
        return None;
    }
    let mut next = groups.start;
    while next < groups.end {
        let mut run = groups.end - next;
        for part in &projections {
            run = run.min(part.matrix.groups.place(part.group.checked_add(next)?)?.1);
        }
        let first = next as usize * GROUP_ROWS as usize;
        let width = run as usize * GROUP_ROWS as usize;
        let count = width.min((outputs as usize).checked_sub(first)?);
        let size = operands.rows.checked_mul(width)?;
        let (all, rest) = room.split_at_mut_checked(size.checked_mul(N)?)?;
        for (part, values) in projections.iter().zip(pieces_mut(all, size)) {
            multiply(task, part, next..next + run, operands, values)?;
            if let Some(reduced) = operands.reduced {
                let groups = next..next + run;
                let part = (part.part, groups);
                adapters::extend(task, part, reduced, operands.rows, values, rest)?;
            }
        }
        // There are N pieces of `size` values, as many as were just multiplied.
        let mut pieces = pieces_mut(all, size);
        let mut products = projections.map(|_| Products {
            first,
            count,
            width,
            values: pieces.next().unwrap_or_default(),
        });
        for (part, products) in projections.iter().zip(&mut products) {
            let bias = part.bias.vector().values(task.arena);
            products.add_bias(bias, part.output)?;
        }
        take(products)?;
        next += run;
    }
    Some(())
}

/// Writes the products of `groups` of `part`, which lie in one segment, to `values`.
fn multiply(
    task: &Task<'_>,
    part: &Projection<'_>,
    groups: Range<u32>,
    operands: Operands<'_>,
    values: &mut [f32],
) -> Option<()> {
    let matrix = part.matrix;
    let count = groups.end.checked_sub(groups.start)?;
    let first = part.group.checked_add(groups.start)?;
    let (weights, run) = matrix.groups.run(task.arena, first, count)?;
    if run != count {
        return None;
    }
    let columns = matrix.columns as usize;
    let packed = operands.input.rows(matrix, operands.first, operands.rows)?;
    let (level, rows) = (task.model.level, operands.rows);
    matrix
        .format
        .multiply(level, weights, columns, packed, rows, values)
        .ok()
}

impl Products<'_> {
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

    /// Adds `bias`, whose value `start` is that of output 0, where there is one.
    fn add_bias(&mut self, bias: Option<&[f32]>, start: usize) -> Option<()> {
        if let Some(bias) = bias {
            let bias = bias.get(start.checked_add(self.first)?..)?;
            for values in self.rows() {
                elementwise::add(values, bias)?;
            }
        }
        Some(())
    }

    /// The outputs of each row, rows ascending; padding is left out.
    pub fn rows(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let count = self.count;
        pieces_mut(self.values, self.width).filter_map(move |row| row.get_mut(..count))
    }
}
