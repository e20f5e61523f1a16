// SPDX-License-Identifier: GPL-2.0
//! RUN: one whole turn in one call.

use super::{Inner, Purpose, Session, State};
use crate::sys::{uapi::Run, user, wait::Woken};
use kernel::{prelude::*, sync::Arc};

/// Text copied to the caller at once.
const COPY_BYTES: usize = 512;

impl Session {
    /// Runs `request` and fills its answer, also when it ends with an error. `EINTR`: a signal
    /// cancelled it; `ENOSPC`: the answer or its ids do not fit.
    pub(crate) fn run(self: &Arc<Self>, request: &mut Run) -> Result {
        self.bind()?;
        self.begin_run(request)?;
        loop {
            if self.wait_for_text() == Woken::Signal {
                let mut inner = self.lock();
                inner.state = State::Running(Purpose::Abandoned);
                self.cancel();
                return Err(EINTR);
            }
            let mut inner = self.lock();
            if self.shared().scheduler.is_broken() {
                return Err(EIO);
            }
            if let Err(error) = self.copy_text(request) {
                inner.state = State::Running(Purpose::Abandoned);
                self.cancel();
                return Err(error);
            }
            self.collect(&mut inner);
            let over = {
                let channel = self.link.channel.lock();
                channel.is_over() && !channel.has_text()
            };
            if over {
                inner.state = State::Idle;
                return self.finish_run(&inner, request);
            }
            drop(inner);
            self.resume();
        }
    }

    fn begin_run(self: &Arc<Self>, request: &mut Run) -> Result {
        let mut inner = self.lock_settled()?;
        if inner.state != State::Idle {
            return Err(EBUSY);
        }
        let count = request.prompt_length as usize;
        if count > self.shared().limits.prompt as usize {
            return Err(EMSGSIZE);
        }
        user::read_array(request.prompt, 0, inner.prompt.spare(count)?)?;
        inner.prompt.extend(count);
        request.length = 0;
        let started = self.start(&mut inner, Purpose::Run);
        if let Err(error) = started {
            inner.prompt.clear();
            let limits = &self.shared().limits;
            inner.outcome.answer(limits, &mut request.result)?;
            // A call is not restarted: its prompt is copied again by the next one.
            return Err(if error == ERESTARTSYS { EINTR } else { error });
        }
        self.account(&mut inner);
        Ok(())
    }

    /// Moves what text there is to the caller. The session is locked.
    fn copy_text(&self, request: &mut Run) -> Result {
        let mut part = [0u8; COPY_BYTES];
        loop {
            let count = self.link.channel.lock().peek(&mut part);
            if count == 0 {
                return Ok(());
            }
            let room = request.capacity.saturating_sub(request.length) as usize;
            let text = part.get(..count.min(room)).unwrap_or(&[]);
            if !text.is_empty() {
                user::write_array(request.text, u64::from(request.length), text)?;
            }
            self.link.channel.lock().consume(count);
            // CAST: At most COPY_BYTES.
            request.length = request.length.saturating_add(count as u32);
        }
    }

    fn finish_run(&self, inner: &Inner, request: &mut Run) -> Result {
        inner
            .outcome
            .answer(&self.shared().limits, &mut request.result)?;
        match inner.outcome.error {
            Some(_) => Err(EIO),
            None if request.length > request.capacity => Err(ENOSPC),
            None => Ok(()),
        }
    }
}
