// SPDX-License-Identifier: GPL-2.0
//! The byte stream: write a prompt, read the answer.

use super::{Inner, Locked, Session};
use crate::{
    session::{buffer::Buffer, prompt::Prompt},
    sys::{
        charge::Payer,
        errno::ENODATA,
        node::{POLLERR, POLLIN, POLLOUT},
        uapi, user,
        wait::Woken,
        wiped::Wiped,
    },
    turn::channel::{Purpose, State},
    users::prompts::{Prompts, Waiting}, //
};
use kernel::{
    iov::{IovIterDest, IovIterSource},
    prelude::*,
    sync::Arc, //
};

/// Text copied to a reader at once.
const COPY_BYTES: usize = 512;

/// What a reader finds.
enum Found {
    /// This turn, to be started by the reader itself.
    Unstarted(u64),
    /// This turn.
    Turn(u64),
    /// The turn of a call that a signal has ended.
    Left,
}

impl Session {
    /// Takes all bytes as prompt or, over the limit, none.
    pub(crate) fn write(&self, from: &mut IovIterSource<'_>) -> Result<usize> {
        let count = from.len();
        let most = self.shared().limits.prompt as usize;
        if count > most {
            return Err(EMSGSIZE);
        }
        // Copied before the lock: the pages may be anybody's.
        let mut text = Buffer::with_capacity(count)?;
        if from.copy_from_iter(text.spare(count)?) != count {
            return Err(EFAULT);
        }
        text.extend(count);
        let waiting = self.count_prompt(count)?;
        // Memory for a prompt in parts, taken before the lock too.
        let mut larger = Buffer::new();
        let inner = loop {
            let mut inner = self.lock_settled()?;
            if self.link.channel.lock().is_running() {
                return Err(EBUSY);
            }
            if count == 0 {
                return Ok(0);
            }
            let prompt = inner.prompt.text()?;
            let all = prompt.bytes().len().saturating_add(count);
            if all > most {
                return Err(EMSGSIZE);
            }
            if all == count {
                core::mem::swap(prompt, &mut text);
                break inner;
            }
            if prompt.append(text.bytes()).is_ok() {
                break inner;
            }
            if larger.capacity() >= all {
                larger.append(prompt.bytes())?;
                larger.append(text.bytes())?;
                core::mem::swap(prompt, &mut larger);
                break inner;
            }
            drop(inner);
            larger = Buffer::with_capacity(all)?;
        };
        self.keep_prompt(inner, waiting);
        Ok(count)
    }

    /// PROMPT: takes ids as prompt.
    pub(crate) fn prompt(&self, request: &uapi::Prompt) -> Result {
        if request.count == 0 {
            return Err(EINVAL);
        }
        if request.count > self.shared().limits.context {
            return Err(EMSGSIZE);
        }
        // Copied before the lock: the pages may be anybody's.
        let mut ids = Wiped::zeroed(request.count as usize)?;
        user::read_array(request.ids, 0, &mut ids)?;
        let waiting = self.count_prompt(size_of_val::<[u32]>(&ids))?;
        self.bind()?;
        let mut inner = self.lock_idle()?;
        let model = inner.model()?;
        model.content()?;
        if ids.iter().any(|id| *id >= model.facts.vocabulary) {
            return Err(EINVAL);
        }
        inner.prompt = Prompt::Ids(ids);
        self.keep_prompt(inner, waiting);
        Ok(())
    }

    /// Counts so many bytes of a prompt.
    fn count_prompt(&self, bytes: usize) -> Result<Waiting> {
        let prompts = self.shared().prompts.as_arc_borrow();
        Prompts::wait(prompts, self.link.namespace(), bytes)
    }

    /// Lets the prompt that was put into `inner` wait for somebody who asks for its answer.
    fn keep_prompt(&self, mut inner: Locked<'_>, waiting: Waiting) {
        match &mut inner.waiting {
            Some(all) => all.join(waiting),
            none => *none = Some(waiting),
        }
        inner.payer = Some(Payer::current());
        self.link.take_class();
        self.account(&mut inner);
        self.link.channel.lock().note_prompt();
        drop(inner);
        // A poller that was there before the prompt asks for its text now.
        self.link.wait.wake_all();
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
        let number = loop {
            match self.find_turn(may_wait)? {
                None => return Ok(0),
                Some(Found::Left) => self.settle()?,
                Some(Found::Turn(number)) => break number,
                Some(Found::Unstarted(number)) => {
                    self.start(number).inspect_err(|_| {
                        self.link.channel.lock().take_refused();
                    })?;
                    break number;
                }
            }
        };
        loop {
            if let Some(result) = self.take_text(number, to) {
                self.resume();
                return result;
            }
            let mut inner = self.lock()?;
            if self.take_end(&mut inner, number) {
                return match inner.outcome.error {
                    Some(_) => Err(EIO),
                    None => Ok(0),
                };
            }
            drop(inner);
            {
                let mut channel = self.link.channel.lock();
                if channel.is_gone(number) {
                    // Another call has ended it, or it could not be started.
                    return channel.take_refused().map_or(Ok(0), Err);
                }
            }
            if self.shared().scheduler.is_broken() {
                return Err(EIO);
            }
            if !may_wait {
                return Err(EAGAIN);
            }
            if self.wait_for_text(number) == Woken::Signal {
                return Err(ERESTARTSYS);
            }
        }
    }

    /// The turn to read, begun if a prompt waits: by the reader, or for one that may not wait by a
    /// kernel worker. None after the last one's end.
    fn find_turn(self: &Arc<Self>, may_wait: bool) -> Result<Option<Found>> {
        loop {
            let (state, number) = {
                let mut channel = self.link.channel.lock();
                if let Some(error) = channel.take_refused() {
                    return Err(error);
                }
                (channel.state(), channel.number())
            };
            return match state {
                State::Idle if number == 0 => Err(ENODATA()),
                State::Idle => Ok(None),
                State::Pending if !may_wait => {
                    self.ask_for_start();
                    Err(EAGAIN)
                }
                State::Pending => match self.link.begin(State::Pending, Purpose::Stream) {
                    Some(number) => Ok(Some(Found::Unstarted(number))),
                    // Another reader was faster.
                    None => continue,
                },
                State::Running(Purpose::Stream) => Ok(Some(Found::Turn(number))),
                State::Running(_) => Err(EBUSY),
                State::Left(_) => Ok(Some(Found::Left)),
            };
        }
    }

    /// Begins a turn on the prompt that waits, which a kernel worker goes on with.
    fn ask_for_start(self: &Arc<Self>) {
        if let Some(number) = self.link.begin(State::Pending, Purpose::Stream) {
            self.starter.push(self.clone(), number);
        }
    }

    /// Waits for text or the end of turn `number`, and computes meanwhile.
    pub(super) fn wait_for_text(&self, number: u64) -> Woken {
        self.shared()
            .scheduler
            .help(&self.link, || self.link.is_readable(number))
    }

    /// Gives what text of turn `number` there is, at most `room` bytes, to `copy`, which tells how much
    /// of it has been taken; less than it was given ends it. How much in all. Not inlined: a caller also computes, far down
    /// the stack.
    #[inline(never)]
    pub(super) fn copy_text(
        &self,
        number: u64,
        room: usize,
        mut copy: impl FnMut(&[u8]) -> usize,
    ) -> usize {
        if !self.link.channel.lock().begin_copy(number) {
            return 0;
        }
        let mut copied = 0usize;
        let mut part = [0u8; COPY_BYTES];
        loop {
            let most = room.saturating_sub(copied).min(COPY_BYTES);
            let part = part.get_mut(..most).unwrap_or(&mut []);
            let count = self.link.channel.lock().peek(number, part);
            let text = part.get(..count).unwrap_or(&[]);
            if text.is_empty() {
                break;
            }
            let taken = copy(text);
            self.link.channel.lock().consume(number, taken);
            copied = copied.saturating_add(taken);
            if taken < count {
                break;
            }
        }
        if self.link.channel.lock().end_copy(number) {
            // Another reader may have waited for the end of this copy.
            self.link.wait.wake_all();
        }
        copied
    }

    /// Copies what text there is; none when there is nothing to read.
    fn take_text(&self, number: u64, to: &mut IovIterDest<'_>) -> Option<Result<usize>> {
        let mut faulted = false;
        let copied = self.copy_text(number, to.len(), |text| {
            let taken = to.copy_to_iter(text);
            faulted = taken < text.len();
            taken
        });
        match (copied, faulted) {
            (0, false) => None,
            (0, true) => Some(Err(EFAULT)),
            _ => Some(Ok(copied)),
        }
    }

    /// What is ready. A poller that waits for text asks for the start of the turn, and is woken when
    /// there is some. Waits for nobody.
    pub(crate) fn poll(self: &Arc<Self>, wanted: u32) -> u32 {
        if wanted & POLLIN != 0 {
            self.ask_for_start();
        }
        let channel = self.link.channel.lock();
        let streams = channel.state() == State::Running(Purpose::Stream);
        let mut mask = 0;
        if streams && channel.is_readable() {
            mask |= POLLIN;
        }
        if channel.is_refused() {
            mask |= POLLIN | POLLERR;
        }
        if !channel.is_running() {
            mask |= POLLOUT;
        }
        drop(channel);
        if self.shared().scheduler.is_broken() {
            mask |= POLLERR;
        }
        mask
    }

    /// Notes the memory that the session holds.
    pub(super) fn account(&self, inner: &mut Inner) {
        let ring = self.link.channel.lock().capacity();
        let bytes = size_of::<Self>()
            .saturating_add(ring)
            .saturating_add(inner.prompt.capacity()) as u64;
        let before = core::mem::replace(&mut inner.accounted, bytes);
        let statistics = self.link.user().statistics();
        statistics.add(|all| &all.memory_sessions, bytes);
        statistics.subtract(|all| &all.memory_sessions, before);
    }
}
