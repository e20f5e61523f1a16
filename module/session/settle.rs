// SPDX-License-Identifier: GPL-2.0
//! The end of a turn: its sequence and its facts go back to the session.

use super::{Inner, Locked, Session};
use crate::{
    sys::{uapi::SISLM_FINISH_CANCELLED, wait::Woken},
    turn::{channel::State, outcome::Outcome, Aim, Turn}, //
};
use kernel::prelude::*;

impl Inner {
    /// Takes back what turn `number`, which is over, had.
    pub(super) fn absorb(&mut self, number: u64, turn: KBox<Turn>) {
        let turn = KBox::into_inner(turn);
        if let Aim::Generate(generation) = turn.aim {
            self.outcome = Outcome {
                number,
                finish: turn.finish,
                error: turn.error,
                context: turn.sequence.context(),
                positions: turn.sequence.positions(),
                digest: turn.model.digest,
                ..generation.into_outcome()
            };
            self.sequence = Some(turn.sequence);
        }
    }

    /// The facts of turn `number`; of one that another call has ended they may be forgotten.
    pub(super) fn outcome_of(&self, number: u64) -> Outcome {
        if self.outcome.number == number {
            self.outcome.clone()
        } else {
            Outcome::cancelled(number)
        }
    }
}

impl Session {
    /// Takes the facts of an answer that is over, as soon as somebody looks.
    pub(super) fn collect(&self, inner: &mut Inner) {
        let (number, answer) = {
            let mut channel = self.link.channel.lock();
            (channel.number(), channel.take_answer())
        };
        if let Some(turn) = answer {
            inner.absorb(number, turn);
        }
    }

    /// Takes the end of turn `number`, if its text is read: whether it was there.
    pub(super) fn take_end(&self, inner: &mut Inner, number: u64) -> bool {
        let ended = {
            let channel = self.link.channel.lock();
            !channel.is_gone(number) && channel.is_read()
        };
        // After that: a turn that comes in between would be over and not collected.
        self.collect(inner);
        if ended {
            self.link.become_idle(None);
        }
        ended
    }

    /// Ends what goes on when it is called: a prompt is dropped, a turn cancelled. `ERESTARTSYS`: a
    /// signal came before the turn was over; `EIO`: it never will be.
    #[inline(never)]
    pub(crate) fn settle(&self) -> Result {
        let mut inner = self.lock()?;
        let number = {
            let mut channel = self.link.channel.lock();
            if channel.drop_prompt() {
                drop(channel);
                inner.drop_prompt();
                return Ok(());
            }
            channel.number()
        };
        loop {
            if self.link.channel.lock().is_gone(number) {
                return Ok(());
            }
            self.link.cancel(number);
            if self.try_settle(&mut inner, number) {
                return Ok(());
            }
            drop(inner);
            let here = || self.link.has_turn(number);
            match self.shared().scheduler.help(&self.link, here) {
                Woken::Signal => return Err(ERESTARTSYS),
                _ if self.shared().scheduler.is_broken() => return Err(EIO),
                _ => {}
            }
            inner = self.lock()?;
        }
    }

    /// Takes turn `number` from where it is, unless it is in a step or being started.
    fn try_settle(&self, inner: &mut Inner, number: u64) -> bool {
        if !self.link.channel.lock().is_over() {
            if self.starter.withdraw(self) {
                inner.drop_prompt();
                inner.outcome = Outcome::cancelled(number);
            } else {
                let withdrawn = self.shared().scheduler.withdraw(&self.link);
                let Some(mut turn) = withdrawn.or_else(|| self.link.channel.lock().take()) else {
                    return false;
                };
                turn.end(SISLM_FINISH_CANCELLED);
                inner.absorb(number, turn);
            }
        }
        self.collect(inner);
        // What is left has no reader: an evaluation that failed, or a guided answer.
        let left = self.link.channel.lock().take();
        if let Some(turn) = left {
            inner.absorb(number, turn);
        }
        self.link.become_idle(None);
        true
    }

    /// Locks it after ending the turn of a call that a signal has ended.
    pub(super) fn lock_settled(&self) -> Result<Locked<'_>> {
        loop {
            let inner = self.lock()?;
            if !matches!(self.link.channel.lock().state(), State::Left(_)) {
                return Ok(inner);
            }
            drop(inner);
            self.settle()?;
        }
    }

    /// Locks it in IDLE, where it stays while it is locked. `EBUSY`: it is in another state.
    pub(super) fn lock_idle(&self) -> Result<Locked<'_>> {
        let inner = self.lock_settled()?;
        if self.link.channel.lock().state() != State::Idle {
            return Err(EBUSY);
        }
        Ok(inner)
    }

    /// The facts of the last turn: none while one runs.
    pub(crate) fn outcome(&self) -> Result<Outcome> {
        let mut inner = self.lock()?;
        let runs = {
            let channel = self.link.channel.lock();
            channel.is_running() && !channel.is_over()
        };
        // After that, as above.
        self.collect(&mut inner);
        Ok(if runs {
            Outcome::none()
        } else {
            inner.outcome.clone()
        })
    }

    /// RESET: also empties the context and forgets the last turn. `EBUSY`: another call has begun
    /// a turn meanwhile.
    #[inline(never)]
    pub(crate) fn reset(&self) -> Result {
        self.settle()?;
        let mut inner = self.lock_idle()?;
        let outcome = core::mem::replace(&mut inner.outcome, Outcome::none());
        let forgotten = (inner.sequence.take(), outcome);
        // Freeing may take long: not under the lock.
        drop(inner);
        drop(forgotten);
        Ok(())
    }
}
