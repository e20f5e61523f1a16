// SPDX-License-Identifier: GPL-2.0
//! The rows of a step.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering;

use crate::abi::LOGITS_MAX;
use crate::abi::ROW_HIDDEN_STATE;
use crate::abi::ROW_LOGITS;
use crate::abi::ROWS_MAX;
use crate::abi::Row;
use crate::abi::StepShape;
use crate::abi::fault;
use crate::memory::kv::KvType;
use crate::memory::kv::SEGMENT;
use crate::memory::state::Versions;
use crate::model::Hyperparameters;

/// Rows whose inputs each worker packs for itself, rather than meet once more for it.
pub const NARROW_ROWS: usize = 4;

/// Neighbouring rows of one sequence that has a state.
#[derive(Clone, Copy)]
pub struct Run {
    /// The first row.
    pub first: usize,
    /// Number of rows.
    pub rows: usize,
    /// The versions of its state.
    pub versions: Versions,
}

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
    /// Rows by sequence, where sequences have a state.
    runs: [Option<Run>; ROWS_MAX as usize],
    run_count: u32,
    /// Which part of the layers is computed, where that is not all of them.
    part: u32,
    /// Whether hidden states of rows are wanted.
    hidden_states: bool,
    /// Adapters that a row has a scale of, by number: bits.
    scaled: u32,
    /// Whether keys and values of a row are stored as scaled integers.
    quantized: bool,
    /// Per row: whether it met a non-finite activation.
    failed: [AtomicU32; ROWS_MAX as usize],
}

impl Batch {
    /// Takes the rows of the next pass; `begin` gives the versions of a sequence's state, of its first
    /// row and number of rows. The error is a [`fault`].
    pub fn set(
        &mut self,
        rows: &[Row],
        shape: &StepShape,
        model: &Hyperparameters,
        part: u32,
        begin: impl FnMut(&Row, u32) -> Option<Versions>,
    ) -> Result<(), i32> {
        self.count = 0;
        self.logits_count = 0;
        if part >= model.passes() {
            return Err(fault::ARGUMENT);
        }
        let causal = model.architecture.causal;
        let known = ROW_HIDDEN_STATE | if causal { ROW_LOGITS } else { 0 };
        let (mut flags, mut scaled, mut quantized) = (0, 0, false);
        if rows.is_empty() || rows.len() > shape.rows as usize {
            return Err(fault::ARGUMENT);
        }
        let mut longest = 0;
        for (index, row) in rows.iter().enumerate() {
            let kv_type = KvType::new(row.kv_type);
            let fits = !row.blocks.is_null()
                && row.position <= row.last
                && row.last < shape.context
                && (row.last == row.position || !causal)
                && row.token < model.vocabulary
                && kv_type.is_some()
                && row.flags & !known == 0;
            if !fits {
                return Err(fault::ARGUMENT);
            }
            longest = longest.max(row.last);
            flags |= row.flags;
            quantized |= kv_type == Some(KvType::Q8_0);
            for (number, scale) in row.scales.iter().enumerate() {
                scaled |= u32::from(*scale != 0) << number;
            }
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
        self.run_count = 0;
        if model.state_values > 0 {
            self.find_runs(rows, begin).ok_or(fault::ARGUMENT)?;
        }
        // CAST: A small constant, and at most ROWS_MAX.
        #[expect(clippy::cast_possible_truncation)]
        let (segment, count) = (SEGMENT as u32, rows.len() as u32);
        self.segments = longest / segment + 1;
        self.part = part;
        self.scaled = scaled;
        self.quantized = quantized;
        self.hidden_states = flags & ROW_HIDDEN_STATE != 0;
        self.pass = self.pass.wrapping_add(1);
        self.count = count;
        Ok(())
    }

    /// Finds the rows of each sequence; `None` when they are not neighbours, have a gap, or do not go
    /// on where the state is.
    fn find_runs(
        &mut self,
        rows: &[Row],
        mut begin: impl FnMut(&Row, u32) -> Option<Versions>,
    ) -> Option<()> {
        let mut first = 0;
        while let Some(row) = rows.get(first) {
            let follows = |(index, other): (u32, &Row)| {
                other.state == row.state && Some(other.position) == row.position.checked_add(index)
            };
            let rest = rows.get(first..)?;
            let count = (0..).zip(rest).take_while(|pair| follows(*pair)).count();
            let mut others = rows.iter().take(first).chain(rest.iter().skip(count));
            if others.any(|other| other.state == row.state) {
                return None;
            }
            let run = Run {
                first,
                rows: count,
                versions: begin(row, u32::try_from(count).ok()?)?,
            };
            *self.runs.get_mut(self.run_count as usize)? = Some(run);
            self.run_count += 1;
            first += count;
        }
        Some(())
    }

    /// The rows of sequence `index` of those in the pass that have a state.
    pub fn run(&self, index: u32) -> Option<Run> {
        let runs = self.runs.get(..self.run_count as usize)?;
        *runs.get(index as usize)?
    }

    /// Number of sequences in the pass that have a state.
    pub fn run_count(&self) -> u32 {
        self.run_count
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

    /// Which part of the layers is computed, where that is not all of them: all before the
    /// attention of the layer of this number, from that of the layer before on.
    pub fn part(&self) -> u32 {
        self.part
    }

    /// Whether hidden states of rows are wanted.
    pub fn hidden_states(&self) -> bool {
        self.hidden_states
    }

    /// Adapters that a row has a scale of: a bit of each, by number.
    pub fn scaled(&self) -> u32 {
        self.scaled
    }

    /// Whether keys and values of a row are stored as scaled integers, whole heads at a time.
    pub fn quantized(&self) -> bool {
        self.quantized
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
