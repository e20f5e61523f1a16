// SPDX-License-Identifier: GPL-2.0
//! The chunks of what is kept of the rows between the passes of a step.

use crate::memory::cache::kept;
use crate::memory::kv::KvType;
use crate::simd::activation::TILE_ROWS;
use crate::step::task::Task;
use crate::wall::chunk::memory::Memory;
use crate::wall::chunk::memory::tiles;

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
}
