// SPDX-License-Identifier: GPL-2.0
//! A turn: work on one sequence that goes from step to step.
//!
//! It belongs to one place at a time: to its session while it is made, parked or over, to the
//! scheduler's queue, or to the step in flight; in the latter two with its session.

use crate::{
    evaluation::Evaluation,
    generation::Generation,
    link::Link,
    model::{Model, Workspace},
    scheduler::Driver,
    sequence::Sequence,
    statistics::Statistics,
    sys::{
        claims::Baton,
        neon::Section,
        step::{RowPlan, ROWS_MAX},
        task,
        uapi::{
            SISLM_FINISH_CANCELLED, SISLM_FINISH_ERROR, SISLM_FINISH_NONE, SISLM_FINISH_NUMERIC,
        },
    },
};
use kernel::{
    prelude::*,
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// What comes after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another step.
    Step,
    /// Nothing until the session asks for more.
    Park,
    /// The turn is over.
    End,
}

/// What a turn is for.
pub(crate) enum Aim {
    /// Answering a prompt.
    Generate(Generation),
    /// Log-probabilities of given tokens.
    Evaluate(Evaluation),
}

/// A turn.
pub(crate) struct Turn {
    /// By which model.
    pub(crate) model: Arc<Model>,
    /// The step it uses.
    pub(crate) workspace: Arc<Workspace>,
    /// Its tokens, keys and values.
    pub(crate) sequence: Sequence,
    /// What it is for.
    pub(crate) aim: Aim,
    /// `SISLM_FINISH_*`, once it is over.
    pub(crate) finish: u32,
    /// The error of `SISLM_FINISH_ERROR`.
    pub(crate) error: Option<Error>,
    /// Where times and positions are counted.
    pub(crate) statistics: Arc<Statistics>,
    clock: Option<Instant<Monotonic>>,
}

impl Turn {
    /// Not begun yet.
    pub(crate) fn new(
        model: Arc<Model>,
        workspace: Arc<Workspace>,
        sequence: Sequence,
        aim: Aim,
        statistics: Arc<Statistics>,
    ) -> Result<KBox<Self>> {
        let turn = Self {
            model,
            workspace,
            sequence,
            aim,
            finish: SISLM_FINISH_NONE,
            error: None,
            statistics,
            clock: None,
        };
        Ok(KBox::new(turn, GFP_KERNEL_ACCOUNT)?)
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.finish != SISLM_FINISH_NONE
    }

    /// Ends it for `finish`.
    pub(crate) fn end(&mut self, finish: u32) {
        if !self.is_over() {
            self.finish = finish;
            if finish == SISLM_FINISH_CANCELLED {
                self.statistics.cancelled.add(1);
            }
        }
    }

    /// Ends it for an error.
    pub(crate) fn fail(&mut self, error: Error) {
        let finish = if error == EDOM {
            SISLM_FINISH_NUMERIC
        } else {
            SISLM_FINISH_ERROR
        };
        if !self.is_over() && finish == SISLM_FINISH_ERROR {
            self.error = Some(error);
        }
        self.end(finish);
    }

    /// Whether a step can be made now; a turn whose reader is slow must wait.
    pub(crate) fn has_room(&self, link: &Link) -> bool {
        match &self.aim {
            Aim::Generate(_) => link.has_room(),
            Aim::Evaluate(evaluation) => evaluation.has_room(),
        }
    }

    /// Rows of its next step.
    pub(crate) fn step_rows(&self) -> u32 {
        let most = match &self.aim {
            Aim::Generate(_) => ROWS_MAX,
            Aim::Evaluate(_) => Evaluation::ROWS,
        };
        let waiting = self
            .sequence
            .positions()
            .saturating_sub(self.sequence.computed());
        waiting.min(most)
    }

    /// Hands the next rows to the engine; the number of stages.
    pub(crate) fn prepare(
        &mut self,
        baton: &mut Baton<'_, Driver>,
        section: &mut Section,
    ) -> Result<u32> {
        self.clock.get_or_insert_with(Instant::now);
        let start = self.sequence.computed();
        let count = self.step_rows();
        let last = self.sequence.positions().saturating_sub(1);
        let all = matches!(self.aim, Aim::Evaluate(_));
        let tokens = self.sequence.tokens().get(start as usize..).unwrap_or(&[]);
        let rows = (start..)
            .zip(tokens)
            .take(count as usize)
            .map(|(position, token)| RowPlan {
                position,
                token: *token,
                logits: all || position == last,
            });
        let table = self.sequence.table().ok_or(EINVAL)?;
        let mut batch = baton.state().take_batch().ok_or(EINVAL)?;
        let stages = self
            .workspace
            .step
            .prepare(baton, section, &mut batch, table, rows);
        baton.state().give_batch(batch);
        stages
    }

    /// Handles the logits of the step that is done.
    pub(crate) fn after_step(
        &mut self,
        link: &Link,
        baton: &Baton<'_, Driver>,
        section: &mut Section,
    ) -> Next {
        let count = self.step_rows();
        self.sequence.advance(count);
        self.statistics.steps.add(1);
        self.statistics.positions_computed.add(u64::from(count));
        let complete = self.sequence.computed() == self.sequence.positions();
        let generating = matches!(self.aim, Aim::Generate(_));
        // Prefill: the logits are not there before the last row.
        if generating && !complete {
            return Next::Step;
        }
        if generating {
            self.charge_time();
        }
        match self.take_logits(link, baton, section, count) {
            Ok(()) if self.is_over() => {}
            Ok(()) if generating => return Next::Step,
            Ok(()) => {}
            Err(error) => self.fail(error),
        }
        self.pause_clock();
        if self.is_over() {
            Next::End
        } else {
            Next::Park
        }
    }

    fn take_logits(
        &mut self,
        link: &Link,
        baton: &Baton<'_, Driver>,
        section: &mut Section,
        count: u32,
    ) -> Result {
        let step = &self.workspace.step;
        let mut sampler = self.workspace.sampler.lock();
        match &mut self.aim {
            Aim::Generate(generation) => {
                let row = count.checked_sub(1).ok_or(EINVAL)?;
                let logits = step.logits(baton, section, row)?.ok_or(EIO)?;
                let history = self.sequence.tokens();
                let token = generation.draw(section, &mut sampler, &logits, history)?;
                drop(sampler);
                let finish =
                    generation.take(token, section, &self.model, &mut self.sequence, link)?;
                self.statistics.tokens.add(1);
                if let Some(finish) = finish {
                    self.end(finish);
                }
            }
            Aim::Evaluate(evaluation) => {
                for row in 0..count {
                    let logits = step.logits(baton, section, row)?.ok_or(EIO)?;
                    let position = self
                        .sequence
                        .computed()
                        .saturating_sub(count)
                        .saturating_add(row);
                    let target = self.sequence.tokens().get(position as usize + 1).copied();
                    evaluation.take(section, &mut sampler, &logits, target)?;
                    task::relax();
                }
                if self.sequence.computed() == self.sequence.positions() {
                    evaluation.complete();
                }
            }
        }
        Ok(())
    }

    /// Adds the time since it was asked last to what the turn has taken.
    fn charge_time(&mut self) {
        let Some(start) = self.clock.replace(Instant::now()) else {
            return;
        };
        let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(0);
        match &mut self.aim {
            Aim::Generate(generation) => generation.charge(ns, &self.statistics),
            Aim::Evaluate(evaluation) => evaluation.charge(ns),
        }
    }

    /// Stops the clock: it waits for somebody else from here on.
    pub(crate) fn pause_clock(&mut self) {
        self.charge_time();
        self.clock = None;
    }
}
