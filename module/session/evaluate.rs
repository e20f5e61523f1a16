// SPDX-License-Identifier: GPL-2.0
//! EVALUATE: log-probabilities of given tokens.

use super::{Inner, Purpose, Session, State};
use crate::{
    evaluation::Evaluation,
    sys::{
        uapi::{Evaluate, SISLM_TOP_MAX},
        user,
        wait::Woken,
    },
    turn::{Aim, Turn},
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

impl Session {
    /// Begins or continues `request` and fills its answer, `done` also on an error. `EINTR` on a
    /// signal: the next call with the same structure goes on.
    pub(crate) fn evaluate(self: &Arc<Self>, request: &mut Evaluate) -> Result {
        if request.flags != 0 || request.count == 0 || request.top_k > SISLM_TOP_MAX {
            return Err(EINVAL);
        }
        if request.top == 0 && request.top_k != 0 {
            return Err(EINVAL);
        }
        self.bind()?;
        if !self.continues(request) {
            if request.done != 0 {
                return Err(EINVAL);
            }
            self.begin_evaluation(request)?;
        }
        loop {
            let ready = || self.link.channel.lock().has_turn();
            let woken = self.shared().scheduler.help(&self.link, ready);
            if self.shared().scheduler.is_broken() {
                return Err(EIO);
            }
            if woken == Woken::Signal {
                return Err(EINTR);
            }
            let mut inner = self.lock();
            if inner.state != State::Running(Purpose::Evaluate) {
                // Somebody else has used the file.
                return Err(EBUSY);
            }
            let Some(turn) = self.link.channel.lock().take() else {
                continue;
            };
            if self.take_rows(&mut inner, turn, request)? {
                return Ok(());
            }
        }
    }

    /// Whether the evaluation in progress is the one asked for.
    fn continues(&self, request: &Evaluate) -> bool {
        let inner = self.lock();
        inner.state == State::Running(Purpose::Evaluate)
            && request.done != 0
            && inner.evaluated == (request.done, request.count, request.top_k)
    }

    fn begin_evaluation(self: &Arc<Self>, request: &mut Evaluate) -> Result {
        let mut inner = self.lock_settled()?;
        if inner.state != State::Idle {
            return Err(EBUSY);
        }
        if self.shared().scheduler.is_broken() {
            return Err(EIO);
        }
        inner.sequence = None;
        let model = inner.model()?;
        model.content()?;
        let mut sequence = self.empty_sequence(&inner, &model)?;
        if request.count > sequence.context() {
            return Err(EMSGSIZE);
        }
        let mut ids = KVVec::from_elem(0u32, request.count as usize, GFP_KERNEL_ACCOUNT)?;
        user::read_array(request.ids, 0, &mut ids)?;
        if ids.iter().any(|id| *id >= model.facts.vocabulary) {
            return Err(EINVAL);
        }
        sequence.append(&ids)?;
        sequence.take_blocks(request.count, &model)?;
        let turn = Turn::new(
            model,
            sequence,
            Aim::Evaluate(Evaluation::new(request.top_k)?),
            self.shared().statistics.clone(),
        )?;
        self.link.channel.lock().begin(&mut None);
        inner.evaluated = (0, request.count, request.top_k);
        inner.nll = 0;
        request.nll = 0;
        self.launch(&mut inner, turn, Purpose::Evaluate)
    }

    /// Copies the rows of the last step out and lets the turn go on. Whether all are done.
    fn take_rows(
        self: &Arc<Self>,
        inner: &mut Inner,
        mut turn: KBox<Turn>,
        request: &mut Evaluate,
    ) -> Result<bool> {
        if let Some(error) = turn.error.or((turn.is_over()).then_some(EDOM)) {
            self.become_idle(inner);
            return Err(if error == EDOM { EDOM } else { EIO });
        }
        let Aim::Evaluate(evaluation) = &mut turn.aim else {
            return Err(EIO);
        };
        for row in evaluation.rows() {
            let copied = copy_row(request, inner.evaluated.0, &row);
            if let Err(error) = copied {
                self.become_idle(inner);
                return Err(error);
            }
            if let Some(probability) = row.next {
                inner.nll = inner
                    .nll
                    .saturating_add(u64::from(probability.unsigned_abs()));
            }
            inner.evaluated.0 = inner.evaluated.0.saturating_add(1);
        }
        evaluation.clear_rows();
        request.done = inner.evaluated.0;
        request.nll = inner.nll;
        request.prefill_ns = evaluation.ns;
        if evaluation.is_complete() {
            request.logits_sha256 = evaluation.take_digest();
            self.become_idle(inner);
            return Ok(true);
        }
        self.shared().scheduler.enqueue(&self.link, turn);
        Ok(false)
    }

    /// Asks the turn to end.
    pub(super) fn cancel(&self) {
        self.link.set_cancelled(true);
    }
}

fn copy_row(request: &Evaluate, row: u32, view: &crate::evaluation::RowView<'_>) -> Result {
    if request.log_probabilities != 0 {
        let to = request.log_probabilities;
        if row == 0 {
            user::write_array(to, 0, &[0i32])?;
        }
        if let Some(probability) = view.next {
            user::write_array(to, u64::from(row).saturating_add(1), &[probability])?;
        }
    }
    if request.top != 0 && !view.top.is_empty() {
        let first = u64::from(row).saturating_mul(view.top.len() as u64);
        user::write_array(request.top, first, view.top)?;
    }
    Ok(())
}
