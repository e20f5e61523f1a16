// SPDX-License-Identifier: GPL-2.0
//! EVALUATE: log-probabilities of given tokens, or embeddings.

use super::{start::empty_sequence, Inner, Locked, Session};
use crate::{
    models::model::Model,
    records::entry::Entry,
    sys::{
        errno::{ECANCELED, EOPNOTSUPP},
        task,
        uapi::{Evaluate, SISLM_EVALUATE_EMBED, SISLM_FINISH_STOP, SISLM_TOP_MAX},
        user,
        wait::Woken,
        wiped::Wiped,
    },
    turn::{
        channel::{Purpose, State},
        embedding::Pooling,
        evaluation::{Evaluation, Results, Rows},
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
    /// What they are.
    results: Results,
    /// Sum of the negative log-probabilities, millionths.
    nll: u64,
}

impl Session {
    /// Begins or continues `request` and fills its answer, `done` also on an error. `ERESTARTSYS`: a
    /// signal came, and the turn goes on; the next call with the same structure does, too.
    /// `ECANCELED`: another call has ended it.
    pub(crate) fn evaluate(self: &Arc<Self>, request: &mut Evaluate) -> Result {
        check(request)?;
        let (number, mut rows) = match request.turn {
            0 if request.done != 0 => return Err(EINVAL),
            0 => self.begin_evaluation(request)?,
            turn => (turn, self.continue_evaluation(turn, request)?),
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

    /// Takes up the evaluation of an earlier call, if `request` is the same; gives room for the rows of
    /// a step.
    fn continue_evaluation(&self, turn: u64, request: &Evaluate) -> Result<Rows> {
        let results = self.lock()?.evaluated.results;
        let rows = Rows::new(results)?;
        let inner = self.lock()?;
        let evaluated = &inner.evaluated;
        let same = (request.done, request.count) == (evaluated.done, evaluated.count)
            && evaluated.results == results
            && results.are_asked_by(request);
        let mut channel = self.link.channel.lock();
        if !same && !channel.is_gone(turn) {
            return Err(EINVAL);
        }
        if channel.take_up(turn, Purpose::Evaluate)? {
            Ok(rows)
        } else {
            Err(ECANCELED())
        }
    }

    /// Begins an evaluation; gives the number of the turn, and room for the rows of a step.
    fn begin_evaluation(self: &Arc<Self>, request: &mut Evaluate) -> Result<(u64, Rows)> {
        if request.count > self.shared().limits.context {
            return Err(EMSGSIZE);
        }
        // Copied before the lock: the pages may be anybody's.
        let mut ids = Wiped::zeroed(request.count as usize)?;
        user::read_array(request.ids, 0, &mut ids)?;
        self.bind()?;
        let inner = self.lock_idle()?;
        self.launch(inner, &ids, request)
    }

    /// Makes the turn of an evaluation and lets it go, as [`Session::begin_evaluation`]. Not inlined: what it makes is
    /// not on the stack while a turn before is ended.
    #[inline(never)]
    fn launch(
        self: &Arc<Self>,
        mut inner: Locked<'_>,
        ids: &[u32],
        request: &mut Evaluate,
    ) -> Result<(u64, Rows)> {
        let model = inner.model()?;
        model.content()?;
        let results = results(&model, request)?;
        if ids.iter().any(|id| *id >= model.facts.vocabulary) {
            return Err(EINVAL);
        }
        let configuration = inner.configuration.clone();
        let draw = inner.draw();
        let before = inner.sequence.take();
        inner.evaluated = Evaluated {
            count: request.count,
            results,
            ..Evaluated::default()
        };
        self.link.take_class();
        let begun = self.link.begin(State::Idle, Purpose::Evaluate);
        drop(inner);
        drop(before);
        let number = begun.ok_or(EBUSY)?;
        request.nll = 0;
        let sequence = empty_sequence(&configuration, &model, self.link.namespace());
        let made = sequence.and_then(|sequence| {
            // First: a turn that is made ends with a record.
            let rows = Rows::new(results)?;
            let mut turn = self.make_evaluation(number, model, sequence, ids, results)?;
            turn.draw = draw;
            Ok((turn, rows))
        });
        match made {
            Ok((turn, rows)) => {
                let statistics = self.link.user().statistics();
                statistics.add(|all| &all.turns, 1);
                self.shared().scheduler.enqueue(&self.link, turn);
                Ok((number, rows))
            }
            Err(error) => {
                self.link.become_idle(None);
                Err(error)
            }
        }
    }

    fn make_evaluation(
        &self,
        number: u64,
        model: Arc<Model>,
        mut sequence: crate::turn::sequence::Sequence,
        ids: &[u32],
        results: Results,
    ) -> Result<KBox<Turn>> {
        if self.shared().scheduler.is_broken() {
            return Err(EIO);
        }
        let place = Turn::place()?;
        sequence.append(ids)?;
        sequence.take_blocks(sequence.positions(), &model)?;
        let aim = Aim::Evaluate(Evaluation::new(results, model.facts.passes)?);
        let statistics = self.link.user().statistics().clone();
        let entry = Entry::new(&self.shared().recorder, self.link.who(), number);
        Ok(Turn::new(place, model, sequence, aim, statistics, entry))
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
            if evaluation.embedding().is_none() {
                request.logits_sha256 = evaluation.take_digest();
            }
            turn.end(SISLM_FINISH_STOP);
            self.link.become_idle(None);
        } else {
            self.shared().scheduler.enqueue(&self.link, turn);
        }
        Ok(complete)
    }
}

/// Refuses what no call may ask for.
fn check(request: &Evaluate) -> Result {
    let embeds = request.flags & SISLM_EVALUATE_EMBED != 0;
    let known = request.flags & !SISLM_EVALUATE_EMBED == 0;
    if !known || request.count == 0 || request.top_k > SISLM_TOP_MAX {
        return Err(EINVAL);
    }
    if request.top == 0 && request.top_k != 0 {
        return Err(EINVAL);
    }
    let scores = request.log_probabilities != 0 || request.top != 0;
    let places = request.embeddings != 0;
    let states = places || request.embeddings_capacity != 0 || request.pooling != 0;
    if embeds && (scores || !places) || !embeds && states {
        return Err(EINVAL);
    }
    Ok(())
}

/// What `model` is asked to make; says which pooling that is.
fn results(model: &Model, request: &mut Evaluate) -> Result<Results> {
    if request.flags & SISLM_EVALUATE_EMBED == 0 {
        let top = request.top_k;
        return match model.is_encoder() {
            true => Err(EOPNOTSUPP()),
            false => Ok(Results::Scores { top }),
        };
    }
    let (pooling, width) = (request.pooling, model.facts.embedding);
    let pooling = Pooling::new(pooling, model.facts.pooling)?;
    request.pooling = pooling.number();
    let values = u64::from(pooling.rows(request.count)) * u64::from(width);
    if values > u64::from(request.embeddings_capacity) {
        return Err(ENOSPC);
    }
    Ok(Results::Embeddings { pooling, width })
}

/// Copies rows out, the first of which is row `request.done`; none past the caller's own arrays.
fn copy_rows(request: &Evaluate, rows: &Rows) -> Result {
    let first = request.done;
    let left = request.count.checked_sub(first).ok_or(EIO)?;
    if rows.count() > left {
        return Err(EIO);
    }
    if request.embeddings != 0 {
        let values = rows.embeddings();
        let place = u64::from(first).saturating_mul(rows.width() as u64);
        let end = place.saturating_add(values.len() as u64);
        if end > u64::from(request.embeddings_capacity) {
            return Err(ENOSPC);
        }
        user::write_array(request.embeddings, place, values)?;
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
