// SPDX-License-Identifier: GPL-2.0
//! A short causal convolution of each column over the positions of a sequence (Poli et al., 2023).

use crate::memory::columns::Columns;
use crate::model::Part;
use crate::model::layer_shape::STRIP;
use crate::simd::elementwise;
use crate::step::task::Task;

/// Some columns of the rows of one sequence in a pass. Rows are (row of the batch, column).
pub struct Strip<'a> {
    /// Its first column.
    pub first: usize,
    /// Number of columns, at most [`STRIP`].
    pub columns: usize,
    /// First row of the sequence.
    pub row: usize,
    /// Number of rows.
    pub rows: usize,
    /// What is convolved, and what comes out.
    pub input: Columns<'a>,
    /// What multiplies the input, and what comes out, where the file has both; else what comes out is
    /// activated.
    pub factors: Option<Factors<'a>>,
    /// The inputs before the first row, oldest first; `None` when there are none.
    pub before: Option<Columns<'a>>,
    /// Those before the row after the last.
    pub after: Columns<'a>,
}

/// Columns that multiply those of a strip.
pub struct Factors<'a> {
    /// First column of what multiplies what comes out.
    pub output: usize,
    /// First column of what multiplies the input.
    pub input: usize,
    /// Both, of the strip's rows.
    pub columns: [Columns<'a>; 2],
}

impl Strip<'_> {
    /// Input `index`, counted from the `past` ones before the first row; `None` for zeros.
    fn input(&mut self, index: usize, past: usize) -> Option<Option<&[f32]>> {
        let (first, columns) = (self.first, self.columns);
        match index.checked_sub(past) {
            Some(row) => Some(Some(self.input.row(self.row + row, first, columns)?)),
            None => match &mut self.before {
                Some(before) => Some(Some(before.row(index, first, columns)?)),
                None => Some(None),
            },
        }
    }
}

/// Convolves a strip of `layer`.
pub fn run(task: &Task<'_>, layer: u32, mut strip: Strip<'_>) -> Option<()> {
    let taps = task.model.shape.taps as usize;
    let past = taps.checked_sub(1)?;
    let weights = task.layer(layer)?.vector(Part::Convolution);
    let weights = weights.values(task.arena)?;
    let weights = weights.get(strip.first.checked_mul(taps)?..)?;
    let weights = weights.get(..strip.columns.checked_mul(taps)?)?;
    let (first, columns) = (strip.first, strip.columns);
    if let Some(Factors {
        input,
        columns: [_, factor],
        ..
    }) = &mut strip.factors
    {
        for row in strip.row..strip.row + strip.rows {
            let factor = factor.row(row, *input, columns)?;
            elementwise::multiply(strip.input.row(row, first, columns)?, factor)?;
        }
    }
    let mut room = [0.0; STRIP];
    let sums = room.get_mut(..columns)?;
    for place in 0..past {
        match strip.input(strip.rows + place, past)? {
            Some(values) => elementwise::copy(values, sums)?,
            None => sums.fill(0.0),
        }
        elementwise::copy(sums, strip.after.row(place, first, columns)?)?;
    }
    // The last row first: what comes out takes the place of what later rows need no more.
    for row in (0..strip.rows).rev() {
        sums.fill(0.0);
        for tap in 0..taps {
            if let Some(values) = strip.input(row + tap, past)? {
                elementwise::add_products(sums, values, weights, tap, taps)?;
            }
        }
        let row = strip.row + row;
        match &mut strip.factors {
            Some(Factors {
                output,
                columns: [factor, _],
                ..
            }) => elementwise::multiply(sums, factor.row(row, *output, columns)?)?,
            None => elementwise::silu(sums),
        }
        if !crate::math::finite::finite(sums) {
            task.batch.fail(row);
        }
        elementwise::copy(sums, strip.input.row(row, first, columns)?)?;
    }
    Some(())
}
