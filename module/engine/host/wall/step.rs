// SPDX-License-Identifier: GPL-2.0
//! A forward pass over a batch of rows.

use anyhow::{Result, ensure};
use sislm_engine::abi::{
    ADAPTERS_MAX, LOGITS_MAX, ROW_HIDDEN_STATE, ROW_LOGITS, ROWS_MAX, Row, StepShape, StepSize,
};

use super::memory::Memory;
use super::model::Model;
use super::sequence::Sequence;
use super::status::{Fault, done};
use super::team::Team;
use super::*;

/// One row of a batch.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    /// The sequence it belongs to.
    pub sequence: &'a Sequence,
    /// Its position.
    pub position: u32,
    /// Its id.
    pub id: u32,
    /// Whether its logits are wanted.
    pub logits: bool,
    /// The last position that it attends to, where that is not its own and its hidden state is wanted.
    pub hidden_state: Option<u32>,
}

/// The activations of one pass.
pub struct Step<'m> {
    memory: Memory,
    model: &'m Model,
    shape: StepShape,
    /// Bytes of one KV block.
    pub kv_block_bytes: u64,
    /// Bytes of the state of a sequence.
    pub state_bytes: u64,
}

impl<'m> Step<'m> {
    /// A step of up to `rows` rows for `threads` threads.
    pub fn new(
        model: &'m Model,
        rows: u32,
        threads: u32,
        context: u32,
        kv_type: u32,
    ) -> Result<Self> {
        ensure!(
            (1..=ROWS_MAX).contains(&rows),
            "a batch has 1 to {ROWS_MAX} rows"
        );
        let shape = StepShape {
            rows,
            logits: rows.min(LOGITS_MAX),
            workers: threads,
            context,
        };
        let mut size = StepSize {
            step_bytes: 0,
            kv_block_bytes: 0,
            state_bytes: 0,
        };
        let adapters = model.adapters();
        let count = u32::try_from(adapters.len())?;
        let list = adapters.as_ptr();
        // SAFETY: The model and its adapters are sealed; the others are live locals.
        done(unsafe {
            sislm_engine_step_size(model.base(), list, count, &shape, kv_type, &mut size)
        })?;
        let memory = Memory::new(size.step_bytes)?;
        // SAFETY: Zeroed memory of the size asked for; the model outlives it.
        done(unsafe {
            let base = model.base();
            sislm_engine_step_begin(memory.base(), memory.len(), base, list, count, &shape)
        })?;
        Ok(Self {
            memory,
            model,
            shape,
            kv_block_bytes: size.kv_block_bytes,
            state_bytes: size.state_bytes,
        })
    }

    /// What the model's adapters are multiplied by unless asked for otherwise, millionths.
    pub(super) fn scales(&self) -> [i32; ADAPTERS_MAX] {
        self.model.scales
    }

    /// Bytes of its memory.
    pub fn bytes(&self) -> u64 {
        self.memory.len() as u64
    }

    /// Most rows of one pass.
    pub fn rows(&self) -> usize {
        self.shape.rows as usize
    }

    /// Most rows with logits of one pass.
    pub fn logits_rows(&self) -> usize {
        self.shape.logits as usize
    }

    /// Runs the model over `tokens`; the caller has run all earlier positions of their sequences.
    pub fn run(&mut self, team: &mut Team, tokens: &[Token<'_>]) -> Result<()> {
        self.pass(team, tokens, 0)
    }

    /// Runs pass number `pass` over `tokens`; the caller has run the one before over the whole texts.
    pub fn pass(&mut self, team: &mut Team, tokens: &[Token<'_>], pass: u32) -> Result<()> {
        ensure!(
            team.threads() <= self.shape.workers,
            "more threads than the step has slots"
        );
        let rows: Vec<Row> = tokens.iter().map(row).collect();
        let mut stages = 0;
        // SAFETY: The block tables live as long as `tokens`, past the last stage.
        done(unsafe {
            let count = u32::try_from(rows.len())?;
            sislm_engine_step_prepare(self.memory.base(), rows.as_ptr(), count, pass, &mut stages)
        })?;
        for stage in 0..stages {
            let (mut chunks, mut work) = (0, 0);
            // SAFETY: The step is prepared; no chunk runs now.
            done(unsafe {
                sislm_engine_step_stage(self.memory.base(), stage, &mut chunks, &mut work)
            })?;
            // SAFETY: Prepared, slots checked above, stages in order.
            unsafe { team.run(self.memory.base(), stage, chunks) }?;
        }
        Ok(())
    }

    /// The logits of a row that asked for them; `NUMERIC` when it met a non-finite activation.
    pub fn logits(&self, row: usize) -> Result<&[f32], Fault> {
        let mut logits = std::ptr::null();
        let row = u32::try_from(row).map_err(|_| Fault::Argument)?;
        // SAFETY: The last stage is done.
        done(unsafe { sislm_engine_step_logits(self.memory.base(), row, &mut logits) })?;
        if logits.is_null() {
            return Err(Fault::Argument);
        }
        let vocabulary = self.model.facts.vocabulary as usize;
        // SAFETY: f32s of the vocabulary inside the step, which is borrowed.
        Ok(unsafe { std::slice::from_raw_parts(logits.cast(), vocabulary) })
    }

    /// The hidden state of a row that asked for it, after the last pass; `NUMERIC` when it met a non-finite
    /// activation.
    pub fn hidden_state(&self, row: usize) -> Result<&[f32], Fault> {
        let mut state = std::ptr::null();
        let row = u32::try_from(row).map_err(|_| Fault::Argument)?;
        // SAFETY: The last stage is done.
        done(unsafe { sislm_engine_step_hidden_state(self.memory.base(), row, &mut state) })?;
        let width = self.model.facts.embedding as usize;
        // SAFETY: f32s of the width inside the step, which is borrowed.
        Ok(unsafe { std::slice::from_raw_parts(state.cast(), width) })
    }
}

fn row(token: &Token<'_>) -> Row {
    Row {
        blocks: token.sequence.table(),
        state: token.sequence.state(),
        position: token.position,
        token: token.id,
        kv_type: token.sequence.kv_type,
        flags: if token.logits { ROW_LOGITS } else { 0 }
            | token.hidden_state.map_or(0, |_| ROW_HIDDEN_STATE),
        last: token.hidden_state.unwrap_or(token.position),
        pad: 0,
        scales: token.sequence.scales,
    }
}
