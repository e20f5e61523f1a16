// SPDX-License-Identifier: GPL-2.0
//! The chunks of mixers that are no attention.

use core::ops::Range;
use core::slice;

use crate::abi::Row;
use crate::memory::columns::Columns;
use crate::memory::state;
use crate::model::layer_shape::LayerShape;
use crate::model::layer_shape::Mixer;
use crate::model::layer_shape::STRIP;
use crate::simd::elementwise;
use crate::step::convolution;
use crate::step::convolution::Factors;
use crate::step::convolution::Strip;
use crate::step::delta;
use crate::step::delta::HeadRows;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;

impl<'a> Memory<'a> {
    /// Columns `range` of the inputs of `layer`'s convolution that a version of the state of the
    /// sequence of `row` has.
    ///
    /// # Safety
    ///
    /// Nobody else refers to these columns of the version for `'a`.
    unsafe fn inputs(
        task: &Task<'_>,
        row: &Row,
        layer: &LayerShape,
        version: u32,
        range: Range<usize>,
    ) -> Option<Columns<'a>> {
        let shape = &task.model.shape;
        let (stride, rows) = (
            layer.convolved as usize,
            shape.taps.checked_sub(1)? as usize,
        );
        let count = stride.checked_mul(rows)?;
        // SAFETY: The state of a prepared step's row; the caller's promise.
        unsafe {
            let values = shape.state_values;
            let base = state::place(row, values, version, layer.state as usize, count)?;
            Some(Columns::new(base, rows, stride, range))
        }
    }

    /// Convolves for `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The stage of `layer`'s convolution runs, and these units are the caller's.
    #[inline(never)]
    pub(super) unsafe fn convolve(
        &self,
        task: &Task<'_>,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (shape, places) = (task.shape(layer)?, self.places);
        let convolved = shape.convolved as usize;
        let strips = shape.strips();
        for unit in first..first.checked_add(count)? {
            let run = task.batch.run(unit.checked_div(strips)?)?;
            let row = task.batch.rows().get(run.first)?;
            let start = unit.checked_rem(strips)? as usize * STRIP;
            let columns = STRIP.min(convolved.checked_sub(start)?);
            let range = |part: usize| {
                let start = part * convolved + start;
                start..start + columns
            };
            // A file has what is convolved first or, where there are factors, last.
            let gated = shape.mixer == Mixer::Convolution;
            // SAFETY: These columns of the rows of this sequence are ours in this stage, as are those
            // of the versions of its state; they are apart.
            let strip = unsafe {
                let part = |part| self.strip(places.query, places.query_width, range(part));
                let before = match run.versions.before {
                    Some(version) => {
                        let inputs = Self::inputs(task, row, shape, version, range(0));
                        Some(inputs?)
                    }
                    None => None,
                };
                Strip {
                    first: start,
                    columns,
                    row: run.first,
                    rows: run.rows,
                    input: part(0),
                    factors: gated.then(|| Factors {
                        output: range(1).start,
                        input: range(2).start,
                        columns: [part(1), part(2)],
                    }),
                    before,
                    after: Self::inputs(task, row, shape, run.versions.after, range(0))?,
                }
            };
            convolution::run(task, layer, strip)?;
        }
        Some(())
    }

    /// Computes the delta rule for `count` units from unit `first` on.
    ///
    /// # Safety
    ///
    /// The stage of `layer`'s delta rule runs, and these units and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn delta(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (shape, places) = (task.shape(layer)?, self.places);
        let (values, taps) = (task.model.shape.state_values, task.model.shape.taps);
        let size = shape.head_size as usize;
        let matrix = shape.matrix_values() as usize;
        let inputs = shape.convolved as usize * taps.checked_sub(1)? as usize;
        // SAFETY: The slot is ours.
        let room = unsafe { self.own(slot, places.parts.values) };
        for unit in first..first.checked_add(count)? {
            let run = task.batch.run(unit.checked_div(shape.heads)?)?;
            let row = task.batch.rows().get(run.first)?;
            let head = unit.checked_rem(shape.heads)?;
            let start = shape.state as usize + inputs + head as usize * matrix;
            // SAFETY: Nobody writes the rows in this stage; what this head gives of the rows of this
            // sequence, and its matrix in the versions of its state, are ours.
            let (rows, mut out) = unsafe {
                let rows: &[f32] = self.read(places.query);
                let rows = rows.get(run.first * places.query_width..)?;
                let rows = HeadRows {
                    head,
                    first: run.first,
                    rows: rows.get(..run.rows * places.query_width)?,
                    stride: places.query_width,
                    before: match run.versions.before {
                        Some(version) => {
                            let place = state::place(row, values, version, start, matrix)?;
                            Some(slice::from_raw_parts(place, matrix))
                        }
                        None => None,
                    },
                    matrix: {
                        let place = state::place(row, values, run.versions.after, start, matrix)?;
                        slice::from_raw_parts_mut(place, matrix)
                    },
                };
                let range = head as usize * size..(head as usize + 1) * size;
                (rows, self.strip(places.mixed, places.mixed_width, range))
            };
            delta::run(task, layer, rows, room, |row, values| {
                elementwise::copy(values, out.row(row, head as usize * size, size)?)
            })?;
        }
        Some(())
    }
}
