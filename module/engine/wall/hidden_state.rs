// SPDX-License-Identifier: GPL-2.0
//! The chunks of hidden states: what is kept of them between passes, the last norm, and the matrices
//! behind it.

use core::ops::Range;

use crate::memory::cache::kept;
use crate::memory::kv::KvType;
use crate::model::Part;
use crate::model::matrix::Matrix;
use crate::simd::activation::TILE_ROWS;
use crate::step::input::Input;
use crate::step::join;
use crate::step::product::Operands;
use crate::step::product::Projection;
use crate::step::residual;
use crate::step::residual::Target;
use crate::step::task::Task;
use crate::wall::chunk::Memory;
use crate::wall::chunk::Slot;
use crate::wall::chunk::tiles;

impl Memory<'_> {
    /// Keeps the residual stream and the queries of `count` tiles of rows from tile `first` on for
    /// the next pass, or takes up what the last one kept.
    ///
    /// # Safety
    ///
    /// Such a stage runs, and these tiles are the caller's.
    #[inline(never)]
    pub(super) unsafe fn keep(
        &self,
        task: &Task<'_>,
        resume: bool,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (places, shape) = (self.places, &task.model.shape);
        let width = shape.embedding as usize;
        let queries = (shape.kept as usize).checked_sub(width)?;
        for row in first..first + rows {
            let of_row = task.batch.rows().get(row)?;
            let kv_type = KvType::new(of_row.kv_type)?;
            let offset = shape.kept_offset(of_row.position, kv_type)?;
            // SAFETY: These rows are ours in this stage, and each is of a position of its own, whose
            // block has room for what is kept of it.
            let (kept, residual, query) = unsafe {
                (
                    kept(of_row, offset, width + queries),
                    self.write(places.residual, row * places.width, width)?,
                    self.write(places.query, row * places.query_width, queries)?,
                )
            };
            if !resume && task.batch.failed(row) {
                // So that it fails in the passes to come as well.
                kept.fill(f32::NAN);
                continue;
            }
            let values = residual.iter_mut().chain(query);
            for (kept, value) in kept.iter_mut().zip(values) {
                if resume {
                    *value = *kept;
                } else {
                    *kept = *value;
                }
            }
        }
        Some(())
    }

    /// Normalizes `count` tiles of rows from tile `first` on for the last time.
    ///
    /// # Safety
    ///
    /// The stage that does so runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn finish(
        &self,
        task: &Task<'_>,
        slot: Slot,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (places, stride) = (self.places, self.places.width);
        // SAFETY: These rows of the residual stream are ours in this stage, as is the slot.
        let (rows, room) = unsafe {
            (
                self.write(places.residual, first * stride, rows * stride)?,
                self.own(slot, places.parts.values),
            )
        };
        let parts = (Part::OutputNorm, Part::OutputNormBias);
        join::normalize(task, None, parts, (first, rows), stride, room)
    }

    /// [`Memory::multiply`] of the matrices behind the last norm.
    ///
    /// # Safety
    ///
    /// The stage that multiplies `input` runs, and these groups are the caller's.
    #[inline(never)]
    pub(super) unsafe fn dense(
        &self,
        task: &Task<'_>,
        input: Input,
        groups: Range<u32>,
        operands: Operands<'_>,
        room: &mut [f32],
    ) -> Option<()> {
        let places = self.places;
        let (place, stride, part) = match input {
            Input::Dense2 => (places.hidden, places.hidden_width, Part::Dense2),
            _ => (places.residual, places.width, Part::Dense3),
        };
        let (first, count) = (groups.start, groups.end.checked_sub(groups.start)?);
        // SAFETY: The outputs of our groups are ours, columns of a part that the input is not made of.
        let target = Target::Branch(unsafe { self.columns(place, stride, first, count) });
        let part = Projection::new(task.model.parts.matrix(part), &Matrix::NONE);
        residual::run(task, part, groups, operands, room, target, |_| Some(1.0))
    }
}
