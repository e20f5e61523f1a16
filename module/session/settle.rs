// SPDX-License-Identifier: GPL-2.0
//! The end of a turn: its sequence and its facts go back to the session.

use super::{Inner, Locked, Purpose, Session, State};
use crate::{
    outcome::Outcome,
    sys::{uapi::SISLM_FINISH_CANCELLED, wait::Woken},
    turn::{Aim, Turn},
};
use kernel::prelude::*;

impl Inner {
    /// Takes back what a turn that is over had.
    pub(super) fn absorb(&mut self, turn: KBox<Turn>) {
        let turn = KBox::into_inner(turn);
        if let Aim::Generate(generation) = turn.aim {
            self.outcome = Outcome {
                // CAST: Fewer ids than positions.
                prompt_count: generation.prompt.len() as u32,
                prompt: generation.prompt,
                ids: generation.ids,
                finish: turn.finish,
                error: turn.error,
                context: turn.sequence.context(),
                positions: turn.sequence.positions(),
                reused: generation.reused,
                seed: generation.seed,
                load_ns: generation.load_ns,
                prefill_ns: generation.prefill_ns,
                decode_ns: generation.decode_ns,
                digest: turn.model.digest,
            };
            self.sequence = Some(turn.sequence);
        }
    }
}

impl Session {
    /// Takes the facts of a turn that is over, as soon as somebody looks.
    pub(super) fn collect(&self, inner: &mut Inner) {
        let over = {
            let mut channel = self.link.channel.lock();
            if channel.is_over() {
                channel.take()
            } else {
                None
            }
        };
        if let Some(turn) = over {
            inner.absorb(turn);
        }
    }

    /// Ends whatever goes on: a prompt is dropped, a turn cancelled. `ERESTARTSYS`: a signal came
    /// before the turn was over; `EIO`: it never will be.
    pub(crate) fn settle(&self) -> Result {
        loop {
            let mut inner = self.lock();
            match inner.state {
                State::Idle => return Ok(()),
                State::Pending => {
                    inner.prompt.clear();
                    inner.state = State::Idle;
                    return Ok(());
                }
                State::Running(_) => {}
            }
            self.link.set_cancelled(true);
            if self.try_settle(&mut inner) {
                return Ok(());
            }
            drop(inner);
            let here = || self.link.channel.lock().has_turn();
            match self.shared().scheduler.help(&self.link, here) {
                Woken::Signal => return Err(ERESTARTSYS),
                _ if self.shared().scheduler.is_broken() => return Err(EIO),
                _ => {}
            }
        }
    }

    fn try_settle(&self, inner: &mut Inner) -> bool {
        self.collect(inner);
        let absorbed = self.link.channel.lock().is_over();
        if !absorbed {
            let withdrawn = self.shared().scheduler.withdraw(&self.link);
            let Some(mut turn) = withdrawn.or_else(|| self.link.channel.lock().take()) else {
                return false;
            };
            turn.end(SISLM_FINISH_CANCELLED);
            inner.absorb(turn);
        }
        self.link.channel.lock().clear();
        self.become_idle(inner);
        true
    }

    /// The end of a turn has been read: a poller may write again.
    pub(super) fn become_idle(&self, inner: &mut Inner) {
        inner.state = State::Idle;
        self.link.wait.wake_all();
    }

    /// Locks it after ending what a signal has left half-done: an evaluation, an abandoned RUN.
    pub(crate) fn lock_settled(&self) -> Result<Locked<'_>> {
        loop {
            let inner = self.lock();
            match inner.state {
                State::Running(Purpose::Evaluate | Purpose::Abandoned) => {}
                _ => return Ok(inner),
            }
            drop(inner);
            self.settle()?;
        }
    }

    /// Locks it for RESULT: with the facts of a turn that is over.
    pub(crate) fn lock_collected(&self) -> Result<Locked<'_>> {
        let mut inner = self.lock_settled()?;
        self.collect(&mut inner);
        Ok(inner)
    }

    /// RESET: also empties the context.
    pub(crate) fn reset(&self) -> Result {
        self.settle()?;
        let mut inner = self.lock();
        if inner.state == State::Idle {
            inner.sequence = None;
        }
        Ok(())
    }
}
