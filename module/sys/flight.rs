// SPDX-License-Identifier: GPL-2.0
//! The step in flight: its memory, and the rows of the sequences that are computed in it.

use super::{
    kv::BlockTable,
    neon::{Inside, Section},
    step::{HiddenState, Logits, Step},
    wall::{self, Fault, Row},
};
use kernel::{prelude::*, sync::Arc};

pub(crate) use super::wall::{LOGITS_MAX, ROWS_MAX};

/// One row: the token at a position of a sequence.
#[derive(Clone, Copy)]
pub(crate) struct RowPlan {
    /// Position in the sequence.
    pub(crate) position: u32,
    /// The token there.
    pub(crate) token: u32,
    /// Whether its logits are wanted.
    pub(crate) logits: bool,
    /// Whether its hidden state is wanted.
    pub(crate) hidden_state: bool,
    /// The last position that it attends to.
    pub(crate) last: u32,
    /// What each adapter of the model is multiplied by, millionths.
    pub(crate) scales: Scales,
}

/// Of each adapter of a model, millionths; 0 is off.
pub(crate) type Scales = [i32; wall::ADAPTERS_MAX];

/// What the step in flight refers to. Rows are added after [`Flight::begin`] and handed to the
/// engine by [`Flight::prepare`].
///
/// # Invariants
///
/// The blocks in `rows` are those of `tables`; while it is ready the engine knows these rows.
pub(crate) struct Flight {
    step: Option<Arc<Step>>,
    rows: KVec<Row>,
    tables: KVec<Arc<BlockTable>>,
    ready: bool,
}

// SAFETY: The addresses in `rows` are those of `tables`, which may go anywhere.
unsafe impl Send for Flight {}

impl Flight {
    /// Without a step.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            step: None,
            rows: KVec::with_capacity(ROWS_MAX as usize, GFP_KERNEL)?,
            tables: KVec::with_capacity(ROWS_MAX as usize, GFP_KERNEL)?,
            ready: false,
        })
    }

    /// Begins a pass of `step`, without rows.
    pub(crate) fn begin(&mut self, step: &Arc<Step>) {
        self.clear();
        self.step = Some(step.clone());
    }

    /// Lets go of what the last pass referred to.
    pub(crate) fn clear(&mut self) {
        self.ready = false;
        self.rows.clear();
        self.tables.clear();
        self.step = None;
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> u32 {
        // CAST: At most ROWS_MAX.
        self.rows.len() as u32
    }

    /// Adds rows of the sequence whose blocks are `table`, positions ascending. `EINVAL`, and none
    /// is added: a row is outside the step or the table, or there are too many.
    pub(crate) fn add(
        &mut self,
        table: &Arc<BlockTable>,
        rows: impl Iterator<Item = RowPlan>,
    ) -> Result {
        let before = self.rows.len();
        let added = self.push_rows(table, rows).and_then(|()| {
            // INVARIANT: The table is kept with the rows that have its blocks.
            let table = table.clone();
            self.tables.push_within_capacity(table).map_err(|_| EINVAL)
        });
        if added.is_err() {
            self.rows.truncate(before);
        }
        added
    }

    fn push_rows(&mut self, table: &BlockTable, rows: impl Iterator<Item = RowPlan>) -> Result {
        let step = self.step.as_ref().ok_or(EINVAL)?;
        for plan in rows {
            if !step.holds(plan.last, plan.token) || plan.last >= table.positions() {
                return Err(EINVAL);
            }
            let row = Row {
                blocks: table.addresses(),
                state: table.state(),
                position: plan.position,
                token: plan.token,
                kv_type: table.kv_type(),
                flags: if plan.logits { wall::ROW_LOGITS } else { 0 }
                    | if plan.hidden_state {
                        wall::ROW_HIDDEN_STATE
                    } else {
                        0
                    },
                last: plan.last,
                pad: 0,
                scales: plan.scales,
            };
            self.rows.push_within_capacity(row).map_err(|_| EINVAL)?;
        }
        Ok(())
    }

    /// Hands the rows to the engine, for part `pass` of a model's; gives the number of stages.
    pub(crate) fn prepare(&mut self, section: &mut Section, pass: u32) -> Result<u32> {
        self.ready = false;
        let step = self.step.as_ref().ok_or(EINVAL)?;
        // SAFETY: The baton lends this to its holder alone, so nobody runs a chunk. By the
        // invariant the blocks cover what the rows attend to and are kept until the next `clear`, after
        // which no chunk is run before another `prepare`.
        let stages = unsafe { step.prepare(section, &self.rows, pass)? };
        // INVARIANT: The engine has just been told.
        self.ready = true;
        Ok(stages)
    }

    fn ready(&self) -> Option<&Step> {
        self.step.as_deref().filter(|_| self.ready)
    }

    /// Chunks of a stage and the work of each, in weight bytes.
    pub(super) fn stage(&self, inside: &Inside<'_>, stage: u32) -> Result<(u32, u64)> {
        self.ready().ok_or(EINVAL)?.stage(inside, stage)
    }

    /// Runs chunks: so many from the first on.
    ///
    /// # Safety
    ///
    /// The stages before `stage` are done, the chunks have not been run and are run by nobody else, and
    /// nobody else uses `slot`.
    pub(super) unsafe fn chunks(
        &self,
        inside: &Inside<'_>,
        stage: u32,
        slot: u32,
        chunks: (u32, u32),
    ) -> Result<(), Fault> {
        let step = self.ready().ok_or(Fault::Argument)?;
        // SAFETY: It is ready; the rest is required of the caller.
        unsafe { step.chunks(inside, stage, slot, chunks) }
    }

    /// The logits of row `row` after the last stage; none when it did not ask for them. `EDOM`: the
    /// row met a non-finite activation.
    pub(crate) fn logits(&self, section: &mut Section, row: u32) -> Result<Option<Logits<'_>>> {
        let step = self.ready().ok_or(EINVAL)?;
        // SAFETY: The baton lends this to its holder alone, so nobody changes the step while it is
        // borrowed.
        unsafe { step.logits(section, row) }
    }

    /// The hidden state of row `row` after the last stage of the last pass. `EDOM`: the row met a non-finite
    /// activation.
    pub(crate) fn hidden_state(&self, section: &mut Section, row: u32) -> Result<HiddenState<'_>> {
        let step = self.ready().ok_or(EINVAL)?;
        // SAFETY: The baton lends this to its holder alone, so nobody changes the step while it is
        // borrowed.
        unsafe { step.hidden_state(section, row) }
    }
}
