// SPDX-License-Identifier: GPL-2.0
//! The chunks of a network of experts.

use crate::memory::pod::Pod;
use crate::model::Part;
use crate::model::matrix::GROUP_ROWS;
use crate::simd::activation::TILE_ROWS;
use crate::step::experts;
use crate::step::route;
use crate::step::route::Route;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::tiles;
use crate::wall::chunk::multiplication::Multiplication;

// SAFETY: A u32 and an f32: no padding, and all bytes are a value.
unsafe impl Pod for Route {}

impl<'a> Memory<'a> {
    /// The experts that each row chose: (row, used and the shared one).
    ///
    /// # Safety
    ///
    /// A stage runs that reads them.
    pub(super) unsafe fn routes(&self) -> &'a [Route] {
        // SAFETY: The caller's promise: only the stage that chooses them writes.
        unsafe { self.read(self.places.routes) }
    }

    /// Chooses the experts of `count` tiles of rows from tile `first` on.
    ///
    /// # Safety
    ///
    /// The stage that chooses the experts of `layer` runs, and these tiles are the caller's.
    #[inline(never)]
    pub(super) unsafe fn route(
        &self,
        task: &Task<'_>,
        layer: u32,
        first: u32,
        count: u32,
    ) -> Option<()> {
        let (first, rows) = tiles(first, count, task.batch.rows().len(), TILE_ROWS)?;
        let (places, experts) = (self.places, &task.model.shape.experts);
        let shared = task.layer(layer)?.matrix(Part::SharedRouter).exists();
        let each = experts.used as usize + 1;
        for row in first..first + rows {
            // SAFETY: The routes and scores of these rows are ours in this stage.
            let (scores, routes) = unsafe {
                let width = places.scores_width;
                let scores: &mut [f32] = self.write(places.scores, row * width, width)?;
                (
                    scores,
                    self.write::<Route>(places.routes, row * each, each)?,
                )
            };
            let (own, beside) = scores.split_at_mut_checked(experts.count as usize)?;
            let groups = (experts.count as usize).next_multiple_of(GROUP_ROWS as usize);
            let beside = beside.get(groups - own.len()..)?.first().copied();
            route::run(task, layer, own, beside.filter(|_| shared), routes)?;
        }
        Some(())
    }

    /// Computes groups of the hidden layers of the experts that each row chose.
    ///
    /// # Safety
    ///
    /// The stage that does so in `layer` runs, and these groups are the caller's.
    #[inline(never)]
    pub(super) unsafe fn experts_up(
        &self,
        task: &Task<'_>,
        layer: u32,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let (layer, places) = (task.layer(layer)?, self.places);
        // SAFETY: This stage runs; the columns of our groups are ours.
        let (routes, hidden) = unsafe {
            let columns = self.columns(places.expert_hidden, places.expert_width, &work.groups);
            (self.routes(), columns)
        };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        experts::up(task, layer, routes, groups, operands, room, hidden)
    }

    /// Adds groups of what these experts give to the residual stream.
    ///
    /// # Safety
    ///
    /// As [`Memory::experts_up`].
    #[inline(never)]
    pub(super) unsafe fn experts_down(
        &self,
        task: &Task<'_>,
        layer: u32,
        work: Multiplication<'_>,
    ) -> Option<()> {
        let (layer, places) = (task.layer(layer)?, self.places);
        // SAFETY: This stage runs; the columns of our groups are ours.
        let (routes, sums) = unsafe {
            let columns = self.columns(places.residual, places.width, &work.groups);
            (self.routes(), columns)
        };
        let Multiplication {
            groups,
            operands,
            room,
        } = work;
        experts::down(task, layer, routes, groups, operands, room, sums)
    }
}
