// SPDX-License-Identifier: GPL-2.0
//! The byte stream: write a prompt, read the answer.

use super::{Inner, Locked, Purpose, Session, State};
use crate::sys::{
    node::{POLLERR, POLLIN, POLLOUT},
    wait::Woken,
};
use kernel::{
    iov::{IovIterDest, IovIterSource},
    prelude::*,
    sync::Arc, //
};

/// Text copied to a reader at once.
const COPY_BYTES: usize = 512;

impl Session {
    /// Takes all bytes as prompt or, over the limit, none.
    pub(crate) fn write(&self, from: &mut IovIterSource<'_>) -> Result<usize> {
        let count = from.len();
        let mut inner = self.lock_settled()?;
        if matches!(inner.state, State::Running(_)) {
            return Err(EBUSY);
        }
        if count == 0 {
            return Ok(0);
        }
        let total = inner.prompt.bytes().len().saturating_add(count);
        if total > self.shared().limits.prompt as usize {
            return Err(EMSGSIZE);
        }
        let spare = inner.prompt.spare(count)?;
        if from.copy_from_iter(spare) != count {
            return Err(EFAULT);
        }
        inner.prompt.extend(count);
        inner.state = State::Pending;
        inner.refused = None;
        self.account(&mut inner);
        Ok(count)
    }

    /// At least one byte of the answer; 0 at its end.
    pub(crate) fn read(
        self: &Arc<Self>,
        to: &mut IovIterDest<'_>,
        may_wait: bool,
    ) -> Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        loop {
            let mut inner = self.lock_settled()?;
            match inner.state {
                State::Idle => {
                    return match (inner.refused.take(), inner.asked) {
                        (Some(error), _) => Err(error),
                        (None, true) => Ok(0),
                        (None, false) => Err(crate::sys::errno::ENODATA()),
                    };
                }
                State::Pending if inner.using.is_none() => {
                    drop(inner);
                    self.bind_or_refuse()?;
                    continue;
                }
                State::Pending => self.start(&mut inner, Purpose::Stream)?,
                State::Running(Purpose::Stream) => {}
                State::Running(_) => return Err(EBUSY),
            }
            if let Some(result) = self.take_text(&mut inner, to) {
                drop(inner);
                self.resume();
                return result;
            }
            drop(inner);
            if self.shared().scheduler.is_broken() {
                return Err(EIO);
            }
            if !may_wait {
                return Err(EAGAIN);
            }
            if self.wait_for_text() == Woken::Signal {
                return Err(ERESTARTSYS);
            }
        }
    }

    /// Waits for text or the end, and computes meanwhile.
    pub(super) fn wait_for_text(&self) -> Woken {
        self.shared()
            .scheduler
            .help(&self.link, || self.link.is_readable())
    }

    /// Copies what text there is; the turn's end when there is none and it is over.
    fn take_text(&self, inner: &mut Inner, to: &mut IovIterDest<'_>) -> Option<Result<usize>> {
        let mut copied = 0usize;
        let mut part = [0u8; COPY_BYTES];
        while !to.is_empty() {
            let room = to.len().min(COPY_BYTES);
            let count = self
                .link
                .channel
                .lock()
                .peek(part.get_mut(..room).unwrap_or(&mut []));
            if count == 0 {
                break;
            }
            let taken = to.copy_to_iter(part.get(..count).unwrap_or(&[]));
            self.link.channel.lock().consume(taken);
            copied = copied.saturating_add(taken);
            if taken < count {
                return Some(if copied > 0 { Ok(copied) } else { Err(EFAULT) });
            }
        }
        if copied > 0 {
            return Some(Ok(copied));
        }
        self.collect(inner);
        let (over, readable) = {
            let channel = self.link.channel.lock();
            (channel.is_over(), channel.has_text())
        };
        if !over || readable {
            return None;
        }
        self.become_idle(inner);
        Some(match inner.outcome.error {
            Some(_) => Err(EIO),
            None => Ok(0),
        })
    }

    /// As [`Session::bind`]; without a model the prompt is dropped.
    pub(super) fn bind_or_refuse(&self) -> Result {
        self.bind().inspect_err(|error| {
            let mut inner = self.lock();
            if inner.state == State::Pending {
                inner.prompt.clear();
                inner.state = State::Idle;
                inner.asked = true;
                inner.refuse(*error);
            }
        })
    }

    /// What is ready. A poller that waits for text starts the turn.
    pub(crate) fn poll(self: &Arc<Self>, wanted: u32) -> u32 {
        let inner = self.lock();
        if inner.state == State::Pending && wanted & POLLIN != 0 {
            return self.poll_start(inner);
        }
        let readable = inner.state == State::Running(Purpose::Stream) && self.link.is_readable();
        let mut mask = if readable { POLLIN } else { 0 };
        if inner.refused.is_some() {
            mask |= POLLIN | POLLERR;
        }
        if !matches!(inner.state, State::Running(_)) {
            mask |= POLLOUT;
        }
        if self.shared().scheduler.is_broken() {
            mask |= POLLERR;
        }
        mask
    }

    fn poll_start<'a>(self: &'a Arc<Self>, mut inner: Locked<'a>) -> u32 {
        let mut result = Ok(());
        if inner.using.is_none() {
            drop(inner);
            result = self.bind_or_refuse();
            inner = self.lock();
        }
        if result.is_ok() && inner.state == State::Pending {
            result = self.start(&mut inner, Purpose::Stream);
        }
        match result {
            Ok(()) => 0,
            // The poller is told by the signal itself.
            Err(ERESTARTSYS) => POLLOUT,
            Err(error) => {
                inner.refused = Some(error);
                POLLIN | POLLERR
            }
        }
    }

    /// Notes the memory that the session holds.
    pub(super) fn account(&self, inner: &mut Inner) {
        let ring = self.link.channel.lock().capacity();
        let bytes = size_of::<Self>()
            .saturating_add(ring)
            .saturating_add(inner.prompt.capacity()) as u64;
        let counter = &self.shared().statistics.memory_sessions;
        counter.add(bytes);
        counter.subtract(core::mem::replace(&mut inner.accounted, bytes));
    }
}

impl Inner {
    /// Notes why a turn could not be started.
    pub(super) fn refuse(&mut self, error: Error) {
        self.outcome = crate::outcome::Outcome::none();
        self.outcome.finish = crate::sys::uapi::SISLM_FINISH_ERROR;
        self.outcome.error = Some(error);
    }
}
