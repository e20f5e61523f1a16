// SPDX-License-Identifier: GPL-2.0
//! EVALUATE: log-probabilities of given tokens.

use super::{start::empty_sequence, Inner, Session};
use crate::{
    models::model::Model,
    sys::{
        errno::ECANCELED,
        task,
        uapi::{Evaluate, SISLM_TOP_MAX},
        user,
        wait::Woken,
        wiped::Wiped,
    },
    turn::{
        channel::{Purpose, State},
        evaluation::{Evaluation, Rows},
        Aim, Turn,
    }, //
};
use kernel::{prelude::*, sync::Arc};

/// How far the running evaluation is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Evaluated {
    /// Rows that were taken from the turn.
    done: u32,
    /// All rows.
    count: u32,
    /// Candidates of each.
    top: u32,
    /// Sum of the negative log-probabilities, millionths.
    nll: u64,
}

impl Session {
    /// Begins or continues `request` and fills its answer, `done` also on an error. `ERESTARTSYS`: a
    /// signal came, and the turn goes on; the next call with the same structure does, too.
    /// `ECANCELED`: another call has ended it.
    pub(crate) fn evaluate(self: &Arc<Self>, request: &mut Evaluate) -> Result {
        if request.flags != 0 || request.count == 0 || request.top_k > SISLM_TOP_MAX {
            return Err(EINVAL);
        }
        if request.top == 0 && request.top_k != 0 {
            return Err(EINVAL);
        }
        let mut rows = Rows::new(request.top_k)?;
        let number = match request.turn {
            0 if request.done != 0 => return Err(EINVAL),
            0 => self.begin_evaluation(request)?,
            turn => {
                self.continue_evaluation(turn, request)?;
                turn
            }
        };
        loop {
            let here = || self.link.has_turn(number);
            match self.shared().scheduler.help(&self.link, here) {
                Woken::Signal if task::dying() => return self.abandon(number, EINTR),
                Woken::Signal => {
                    request.turn = number;
                    self.link.channel.lock().leave(number);
                    return Err(ERESTARTSYS);
                }
                _ if self.shared().scheduler.is_broken() => return self.abandon(number, EIO),
                _ => {}
            }
            let Ok(mut inner) = self.lock() else {
                return self.abandon(number, EINTR);
            };
            let turn = {
                let mut channel = self.link.channel.lock();
                if channel.is_gone(number) {
                    return Err(ECANCELED());
                }
                channel.take()
            };
            let Some(turn) = turn else {
                continue;
            };
            let complete = self.take_rows(&mut inner, turn, &mut rows, request)?;
            let evaluated = inner.evaluated;
            drop(inner);
            if let Err(error) = copy_rows(request, &rows) {
                return self.abandon(number, error);
            }
            request.done = evaluated.done;
            request.nll = evaluated.nll;
            if complete {
                request.turn = 0;
                return Ok(());
            }
        }
    }

    /// Takes up the evaluation of an earlier call, if `request` is the same.
    fn continue_evaluation(&self, turn: u64, request: &Evaluate) -> Result {
        let inner = self.lock()?;
        let same = (request.done, request.count, request.top_k)
            == (
                inner.evaluated.done,
                inner.evaluated.count,
                inner.evaluated.top,
            );
        let mut channel = self.link.channel.lock();
        if !same && !channel.is_gone(turn) {
            return Err(EINVAL);
        }
        if channel.take_up(turn, Purpose::Evaluate)? {
            Ok(())
        } else {
            Err(ECANCELED())
        }
    }

    fn begin_evaluation(self: &Arc<Self>, request: &mut Evaluate) -> Result<u64> {
        if request.count > self.shared().limits.context {
            return Err(EMSGSIZE);
        }
        // Copied before the lock: the pages may be anybody's.
        let mut ids = Wiped::zeroed(request.count as usize)?;
        user::read_array(request.ids, 0, &mut ids)?;
        self.bind()?;
        let mut inner = self.lock_idle()?;
        let model = inner.model()?;
        model.content()?;
        if ids.iter().any(|id| *id >= model.facts.vocabulary) {
            return Err(EINVAL);
        }
        let configuration = inner.configuration.clone();
        let before = inner.sequence.take();
        inner.evaluated = Evaluated {
            count: request.count,
            top: request.top_k,
            ..Evaluated::default()
        };
        let begun = self.link.begin(State::Idle, Purpose::Evaluate);
        drop(inner);
        drop(before);
        let number = begun.ok_or(EBUSY)?;
        request.nll = 0;
        let sequence = empty_sequence(&configuration, &model, self.link.user());
        match sequence.and_then(|sequence| self.make_evaluation(model, sequence, &ids, request)) {
            Ok(turn) => {
                self.launch(turn);
                Ok(number)
            }
            Err(error) => {
                self.link.become_idle(None);
                Err(error)
            }
        }
    }

    fn make_evaluation(
        &self,
        model: Arc<Model>,
        mut sequence: crate::turn::sequence::Sequence,
        ids: &[u32],
        request: &Evaluate,
    ) -> Result<KBox<Turn>> {
        if self.shared().scheduler.is_broken() {
            return Err(EIO);
        }
        let place = Turn::place()?;
        sequence.append(ids)?;
        sequence.take_blocks(request.count, &model)?;
        let aim = Aim::Evaluate(Evaluation::new(request.top_k)?);
        let statistics = self.link.user().statistics().clone();
        Ok(Turn::new(place, model, sequence, aim, statistics))
    }

    /// Takes the rows of the last step and lets the turn go on. Whether all are done.
    fn take_rows(
        &self,
        inner: &mut Inner,
        mut turn: KBox<Turn>,
        rows: &mut Rows,
        request: &mut Evaluate,
    ) -> Result<bool> {
        let failed = turn.error.map(|_| EIO).or(turn.is_over().then_some(EDOM));
        let cancelled = turn.is_over() && self.link.is_cancelled();
        let Aim::Evaluate(evaluation) = &mut turn.aim else {
            return Err(EIO);
        };
        if let Some(error) = failed {
            self.link.become_idle(None);
            return Err(if cancelled { ECANCELED() } else { error });
        }
        evaluation.take_rows(rows);
        let evaluated = &mut inner.evaluated;
        evaluated.done = evaluated.done.saturating_add(rows.count());
        evaluated.nll = evaluated.nll.saturating_add(rows.nll());
        request.prefill_ns = evaluation.ns;
        let complete = evaluation.is_complete();
        if complete {
            request.logits_sha256 = evaluation.take_digest();
            self.link.become_idle(None);
        } else {
            self.shared().scheduler.enqueue(&self.link, turn);
        }
        Ok(complete)
    }
}

/// Copies rows out, the first of which is row `request.done`; none past the caller's own arrays.
fn copy_rows(request: &Evaluate, rows: &Rows) -> Result {
    let first = request.done;
    let left = request.count.checked_sub(first).ok_or(EIO)?;
    if rows.count() > left {
        return Err(EIO);
    }
    if request.log_probabilities != 0 {
        let to = request.log_probabilities;
        if first == 0 {
            user::write_array(to, 0, &[0i32])?;
        }
        // After the last token there is none.
        let known = rows.next.len().min(left.saturating_sub(1) as usize);
        let next = rows.next.get(..known).unwrap_or(&[]);
        user::write_array(to, u64::from(first).saturating_add(1), next)?;
    }
    if request.top != 0 {
        let place = u64::from(first).saturating_mul(u64::from(request.top_k));
        user::write_array(request.top, place, rows.candidates())?;
    }
    Ok(())
}
