// SPDX-License-Identifier: GPL-2.0
//! RUN: one whole turn in one call.

use super::Session;
use crate::{
    session::{buffer::Buffer, prompt::Prompt},
    sys::{
        task,
        uapi::{self, Run},
        user,
        wait::Woken,
    },
    turn::{
        channel::{Purpose, State},
        outcome::Outcome,
    }, //
};
use kernel::{prelude::*, sync::Arc};

impl Session {
    /// Runs `request` and fills its answer, also when it ends with an error. `ERESTARTSYS`: a signal
    /// came, and the turn goes on; the next call with the same structure does, too. `ENOSPC`: the
    /// answer or its ids do not fit. A turn that another call ends is no error: it is cancelled.
    pub(crate) fn run(self: &Arc<Self>, request: &mut Run) -> Result {
        let number = match request.turn {
            0 => {
                request.length = 0;
                self.begin_run(request)?
            }
            turn => {
                // Gone already: the wait below ends at once.
                self.link.channel.lock().take_up(turn, Purpose::Run)?;
                turn
            }
        };
        match self.follow(number, || self.take_run_text(number, request)) {
            Ok(outcome) => self.finish_run(&outcome, request),
            Err(ERESTARTSYS) => {
                request.turn = number;
                self.link.channel.lock().leave(number);
                Err(ERESTARTSYS)
            }
            Err(error) => Err(error),
        }
    }

    /// Lets `take` move the text of turn `number` until its end: what it came to. An error ends the turn, but for
    /// `ERESTARTSYS`: a signal came, and it goes on. Not inlined: a turn before is ended further down the stack.
    #[inline(never)]
    pub(super) fn follow(&self, number: u64, mut take: impl FnMut() -> Result) -> Result<Outcome> {
        loop {
            match self.wait_for_text(number) {
                Woken::Signal if task::dying() => return self.abandon(number, EINTR),
                Woken::Signal => return Err(ERESTARTSYS),
                _ if self.shared().scheduler.is_broken() => return self.abandon(number, EIO),
                _ => {}
            }
            if let Err(error) = take() {
                return self.abandon(number, error);
            }
            let Ok(mut inner) = self.lock() else {
                return self.abandon(number, EINTR);
            };
            let ended = self.take_end(&mut inner, number);
            if ended || self.link.channel.lock().is_gone(number) {
                return Ok(inner.outcome_of(number));
            }
            drop(inner);
            self.resume();
        }
    }

    fn begin_run(self: &Arc<Self>, request: &mut Run) -> Result<u64> {
        let count = request.prompt_length as usize;
        if count > self.shared().limits.prompt as usize {
            return Err(EMSGSIZE);
        }
        // Copied before the lock: the pages may be anybody's.
        let mut prompt = Buffer::with_capacity(count)?;
        user::read_array(request.prompt, 0, prompt.spare(count)?)?;
        prompt.extend(count);
        self.begin_text(prompt, &mut request.result)
    }

    /// Begins a turn on `prompt`: its number. One that cannot be started fills `result`.
    pub(super) fn begin_text(
        self: &Arc<Self>,
        prompt: Buffer,
        result: &mut uapi::Outcome,
    ) -> Result<u64> {
        self.bind()?;
        let mut inner = self.lock_idle()?;
        inner.prompt = Prompt::Text(prompt);
        inner.payer = None;
        self.link.take_class();
        let begun = self.link.begin(State::Idle, Purpose::Run);
        drop(inner);
        let number = begun.ok_or(EBUSY)?;
        if let Err(error) = self.start(number) {
            let outcome = self.lock()?.outcome_of(number);
            outcome.answer(&self.shared().limits, result)?;
            return Err(error);
        }
        Ok(number)
    }

    /// Ends the call of turn `number` with `error`: nobody goes on with it.
    pub(crate) fn abandon<T>(&self, number: u64, error: Error) -> Result<T> {
        self.link.cancel(number);
        self.shared().scheduler.call(&self.link);
        self.link.channel.lock().leave(number);
        Err(error)
    }

    /// Moves what text there is to the caller.
    fn take_run_text(&self, number: u64, request: &mut Run) -> Result {
        let mut result = Ok(());
        self.copy_text(number, usize::MAX, |part| {
            let room = request.capacity.saturating_sub(request.length) as usize;
            let text = part.get(..part.len().min(room)).unwrap_or(&[]);
            if !text.is_empty() {
                result = user::write_array(request.text, u64::from(request.length), text);
            }
            // CAST: A part of a few hundred bytes.
            request.length = request.length.saturating_add(part.len() as u32);
            if result.is_ok() {
                part.len()
            } else {
                0
            }
        });
        result
    }

    fn finish_run(&self, outcome: &Outcome, request: &mut Run) -> Result {
        request.turn = 0;
        outcome.answer(&self.shared().limits, &mut request.result)?;
        match outcome.error {
            Some(_) => Err(EIO),
            None if request.length > request.capacity => Err(ENOSPC),
            None => Ok(()),
        }
    }
}
