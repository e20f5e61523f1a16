// SPDX-License-Identifier: GPL-2.0
//! The rows of a step.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering;

use crate::abi::LOGITS_MAX;
use crate::abi::ROW_LOGITS;
use crate::abi::ROWS_MAX;
use crate::abi::Row;
use crate::abi::StepShape;
use crate::abi::fault;
use crate::memory::kv::KvType;
use crate::memory::kv::SEGMENT;
use crate::model::Hyperparameters;

/// Rows whose inputs each worker packs for itself, rather than meet once more for it.
pub const NARROW_ROWS: usize = 4;

/// The rows of the current pass, and which of them failed. All zero: no rows.
#[repr(C)]
pub struct Batch {
    /// Number of passes so far.
    pass: u64,
    rows: [Row; ROWS_MAX as usize],
    count: u32,
    /// Rows with logits, ascending.
    logits: [u8; LOGITS_MAX as usize],
    logits_count: u32,
    /// Segments of attention of the longest row.
    segments: u32,
    /// Per row: whether it met a non-finite activation.
    failed: [AtomicU32; ROWS_MAX as usize],
}

impl Batch {
    /// Takes the rows of the next pass; the error is a [`fault`].
    pub fn set(
        &mut self,
        rows: &[Row],
        shape: &StepShape,
        model: &Hyperparameters,
    ) -> Result<(), i32> {
        self.count = 0;
        self.logits_count = 0;
        if rows.is_empty() || rows.len() > shape.rows as usize {
            return Err(fault::ARGUMENT);
        }
        let mut longest = 0;
        for (index, row) in rows.iter().enumerate() {
            let fits = !row.blocks.is_null()
                && row.position < shape.context
                && row.token < model.vocabulary
                && KvType::new(row.kv_type).is_some()
                && row.flags & !ROW_LOGITS == 0;
            if !fits {
                return Err(fault::ARGUMENT);
            }
            longest = longest.max(row.position);
            if row.flags & ROW_LOGITS != 0 {
                let place = self.logits.get_mut(self.logits_count as usize);
                let place = place.filter(|_| self.logits_count < shape.logits);
                // CAST: Below ROWS_MAX.
                #[expect(clippy::cast_possible_truncation)]
                let index = index as u8;
                *place.ok_or(fault::ARGUMENT)? = index;
                self.logits_count += 1;
            }
            *self.rows.get_mut(index).ok_or(fault::ARGUMENT)? = *row;
        }
        for failed in &mut self.failed {
            *failed.get_mut() = 0;
        }
        // CAST: A small constant, and at most ROWS_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let (segment, count) = (SEGMENT as u32, rows.len() as u32);
        self.segments = longest / segment + 1;
        self.pass = self.pass.wrapping_add(1);
        self.count = count;
        Ok(())
    }

    /// Number of this pass; never 0 once rows were taken.
    pub fn pass(&self) -> u64 {
        self.pass
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        self.rows.get(..self.count as usize).unwrap_or(&[])
    }

    /// Indexes of the rows with logits, ascending.
    pub fn logits(&self) -> &[u8] {
        self.logits.get(..self.logits_count as usize).unwrap_or(&[])
    }

    /// Segments of attention of the longest row.
    pub fn segments(&self) -> u32 {
        self.segments
    }

    /// Records that row `row` met a non-finite activation.
    pub fn fail(&self, row: usize) {
        if let Some(failed) = self.failed.get(row) {
            failed.store(1, Ordering::Relaxed);
        }
    }

    /// Whether row `row` met a non-finite activation.
    pub fn failed(&self, row: usize) -> bool {
        self.failed
            .get(row)
            .is_some_and(|failed| failed.load(Ordering::Relaxed) != 0)
    }
}
