// SPDX-License-Identifier: GPL-2.0
//! The chunks that write the residual stream.

use crate::model::Part;
use crate::model::architecture::Norms;
use crate::simd::activation::TILE_ROWS;
use crate::step::embedding;
use crate::step::join;
use crate::step::join::Joined;
use crate::step::product::Projection;
use crate::step::residual;
use crate::step::residual::Target;
use crate::step::route::Route;
use crate::step::stage::Branch;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::Slot;
use crate::wall::chunk::memory::tiles;
use crate::wall::chunk::multiplication::Multiplication;

impl Memory<'_> {
    /// Embeds `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The embedding stage runs, and these tiles and the slot are the caller's.
    pub(super) unsafe fn embed(
        &self,
        task: &Task<'_>,
        slot: Slot,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let stride = self.places.width;
        // SAFETY: These rows of the residual stream are ours in this stage, and the slot is.
        let (residual, values, products) = unsafe {
            let parts = &self.places.parts;
            let residual = self.write(self.places.residual, first * stride, rows * stride)?;
            (
                residual,
                self.own(slot, parts.values),
                self.own(slot, parts.products),
            )
        };
        embedding::run(task, first, residual, stride, values, products)
    }

    /// Computes groups of `projection` for the residual stream, times the factor of the model, or of
    /// each row's shared expert in `routes`.
    ///
    /// # Safety
    ///
    /// The stage of this projection runs, and these groups are the caller's.
    pub(super) unsafe fn project_back(
        &self,
        task: &Task<'_>,
        projection: Projection<'_>,
        routes: Option<&[Route]>,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let places = self.places;
        let behind = task.model.shape.architecture.norms.behind();
        let place = if behind {
            places.branch
        } else {
            places.residual
        };
        // SAFETY: The outputs of our groups are ours: columns of a part that the input is not made of.
        let columns = unsafe { self.columns(place, places.width, &work.groups) };
        let target = if behind {
            Target::Branch(columns)
        } else {
            Target::Residual(columns)
        };
        let each = task.model.shape.experts.used as usize + 1;
        let factor = |row: usize| match routes {
            None => Some(task.model.shape.scales.residual),
            Some(routes) => Some(routes.get(row * each + each - 1)?.weight),
        };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        residual::run(task, projection, groups, operands, room, target, factor)
    }

    /// Ends `branch` of `layer` for `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage that joins the branch runs, and these tiles and the slot are the caller's.
    #[inline(never)]
    pub(super) unsafe fn join(
        &self,
        task: &Task<'_>,
        slot: Slot,
        layer: u32,
        branch: Branch,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (places, stride) = (self.places, self.places.width);
        if task.model.shape.architecture.norms == Norms::OfSums {
            // SAFETY: These rows of the residual stream are ours in this stage, as is the slot.
            let (rows, room) = unsafe {
                (
                    self.write(places.residual, first * stride, rows * stride)?,
                    self.own(slot, places.parts.values),
                )
            };
            let (layer, parts) = (Some(layer), branch.norms());
            return join::normalize(task, layer, parts, (first, rows), stride, room);
        }
        // SAFETY: These rows of the residual stream are ours in this stage, as is the slot; nobody
        // writes the branch.
        unsafe {
            let branches: &[f32] = self.read(places.branch);
            let joined = Joined {
                first,
                stride,
                residual: self.write(places.residual, first * stride, rows * stride)?,
                branch: branches.get(first * stride..)?,
            };
            let room = self.own(slot, places.parts.values);
            let scale = branch.scale(task, layer)?;
            join::run(task, layer, branch.norms().0, scale, joined, room)
        }
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
}
