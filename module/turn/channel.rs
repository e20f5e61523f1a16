// SPDX-License-Identifier: GPL-2.0
//! What goes on in a session: its state, the text and the turn on their way to it.
//!
//! Turns are numbered. Whoever waits, waits for the turn it knows by number, and learns here when
//! that one is gone.

use crate::turn::{ring::Ring, stop::HELD_MAX, Turn};
use kernel::prelude::*;

/// What a turn is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Text for readers.
    Stream,
    /// A RUN call.
    Run,
    /// An EVALUATE call.
    Evaluate,
    /// Calls of NEXT, between which it is left.
    Next,
}

/// State of the device's table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is going on.
    Idle,
    /// Prompt bytes wait.
    Pending,
    /// A turn is started or runs, or its end has not been read.
    Running(Purpose),
    /// The same, but its call has returned after a signal. The same call may go on with it; any
    /// other use of the file ends it.
    Left(Purpose),
}

/// Guarded by a spinlock: nothing here sleeps.
pub(crate) struct Channel {
    state: State,
    number: u64,
    ring: Option<Ring>,
    turn: Option<KBox<Turn>>,
    refused: Option<Error>,
    copying: bool,
    over: bool,
    closed: bool,
}

impl Channel {
    /// Idle, before the first turn.
    pub(crate) const fn new() -> Self {
        Self {
            state: State::Idle,
            number: 0,
            ring: None,
            turn: None,
            refused: None,
            copying: false,
            over: false,
            closed: false,
        }
    }

    /// The state.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Number of the present or last turn, from 1; 0 before the first.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Begins a turn when the state is `from`; its number.
    pub(crate) fn begin(&mut self, from: State, purpose: Purpose) -> Option<u64> {
        if self.state != from {
            return None;
        }
        self.state = State::Running(purpose);
        self.number = self.number.wrapping_add(1);
        self.refused = None;
        self.copying = false;
        self.over = false;
        Some(self.number)
    }

    /// Notes that prompt bytes wait. A poller may have begun their turn meanwhile.
    pub(crate) fn note_prompt(&mut self) {
        if self.state == State::Idle {
            self.state = State::Pending;
            self.refused = None;
        }
    }

    /// Whether prompt bytes waited, which are to be dropped.
    pub(crate) fn drop_prompt(&mut self) -> bool {
        let waited = self.state == State::Pending;
        if waited {
            self.state = State::Idle;
        }
        waited
    }

    /// Whether a turn is started or runs, or its end has not been read.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_) | State::Left(_))
    }

    /// Whether turn `number` is none of this session any more: read to its end, or ended by a call.
    pub(crate) fn is_gone(&self, number: u64) -> bool {
        self.number != number || !self.is_running()
    }

    /// The call of turn `number` returns before its end.
    pub(crate) fn leave(&mut self, number: u64) {
        if let (false, State::Running(purpose)) = (self.is_gone(number), self.state) {
            self.state = State::Left(purpose);
        }
    }

    /// A call goes on with turn `number`. `EINVAL`: there never was one; `EBUSY`: another call has
    /// it. Whether it still is there.
    pub(crate) fn take_up(&mut self, number: u64, purpose: Purpose) -> Result<bool> {
        if number > self.number {
            return Err(EINVAL);
        }
        if self.is_gone(number) {
            return Ok(false);
        }
        if self.state != State::Left(purpose) {
            return Err(EBUSY);
        }
        self.state = State::Running(purpose);
        Ok(true)
    }

    /// The turn's end is known to whom it concerns, or there is no turn after all: why not.
    pub(crate) fn become_idle(&mut self, refused: Option<Error>) {
        if let Some(ring) = &mut self.ring {
            ring.clear();
        }
        self.state = State::Idle;
        self.refused = refused;
    }

    /// Why the last prompt had no turn; told once.
    pub(crate) fn take_refused(&mut self) -> Option<Error> {
        self.refused.take()
    }

    /// Whether there is a reason that nobody was told.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Gives it a ring, unless it has one.
    pub(crate) fn open(&mut self, ring: &mut Option<Ring>) {
        if self.ring.is_none() {
            self.ring = ring.take();
        }
    }

    /// Whether it has a ring.
    pub(crate) fn has_ring(&self) -> bool {
        self.ring.is_some()
    }

    /// Whether the turn is over.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Memory of the ring.
    pub(crate) fn capacity(&self) -> usize {
        self.ring.as_ref().map_or(0, Ring::capacity)
    }

    /// Bytes of text that fit.
    pub(crate) fn free(&self) -> usize {
        self.ring.as_ref().map_or(0, Ring::free)
    }

    /// Adds text.
    pub(crate) fn push(&mut self, text: &[u8]) {
        if let Some(ring) = &mut self.ring {
            // All of it: a step is made only while there is room for its text.
            ring.push(text);
        }
    }

    /// Begins to copy text of turn `number` out. User memory is written without a lock, so one task
    /// copies at a time: whether it is the caller.
    pub(crate) fn begin_copy(&mut self, number: u64) -> bool {
        let begins = !self.is_gone(number) && !self.copying;
        self.copying |= begins;
        begins
    }

    /// Copies the first text without taking it; 0 when the turn is gone.
    pub(crate) fn peek(&self, number: u64, text: &mut [u8]) -> usize {
        match &self.ring {
            Some(ring) if !self.is_gone(number) => ring.peek(text),
            _ => 0,
        }
    }

    /// Takes away what was copied of turn `number`.
    pub(crate) fn consume(&mut self, number: u64, count: usize) {
        if self.is_gone(number) {
            return;
        }
        if let Some(ring) = &mut self.ring {
            ring.consume(count);
        }
    }

    /// Ends [`Channel::begin_copy`]. Whether there is something for another reader.
    pub(crate) fn end_copy(&mut self, number: u64) -> bool {
        if self.is_gone(number) {
            return false;
        }
        self.copying = false;
        self.is_readable()
    }

    /// Whether there is text.
    pub(crate) fn has_text(&self) -> bool {
        self.ring.as_ref().is_some_and(|ring| !ring.is_empty())
    }

    /// Whether a reader would get text or the end.
    pub(crate) fn is_readable(&self) -> bool {
        !self.copying && (self.over || self.has_text())
    }

    /// Whether all text of the turn is read, and no more will come.
    pub(crate) fn is_read(&self) -> bool {
        self.over && !self.copying && !self.has_text()
    }

    /// Whether there is a turn to take.
    pub(crate) fn has_turn(&self) -> bool {
        self.turn.is_some()
    }

    /// Puts a turn here. Gives back one of a closed session, which has to be dropped, or one that was
    /// here, which no session has twice.
    pub(crate) fn put(&mut self, turn: KBox<Turn>) -> Option<KBox<Turn>> {
        if self.closed {
            return Some(turn);
        }
        self.over |= turn.is_over();
        self.turn.replace(turn)
    }

    /// Whether the session is closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes the turn.
    pub(crate) fn take(&mut self) -> Option<KBox<Turn>> {
        self.turn.take()
    }

    /// Takes the turn if it is `wanted`.
    pub(crate) fn take_if(&mut self, wanted: impl FnOnce(&Turn) -> bool) -> Option<KBox<Turn>> {
        self.turn.take_if(|turn| wanted(turn))
    }

    /// Takes an answer that is over, unless a caller guides it, who takes it.
    pub(crate) fn take_answer(&mut self) -> Option<KBox<Turn>> {
        self.turn
            .take_if(|turn| turn.gives_text() && turn.is_over())
    }

    /// Takes the turn if it waits for room for text, and there is room.
    pub(crate) fn take_resumable(&mut self) -> Option<KBox<Turn>> {
        if self.free() < HELD_MAX {
            return None;
        }
        self.turn
            .take_if(|turn| turn.gives_text() && !turn.is_over())
    }

    /// No turn is put here any more; gives what is here.
    pub(crate) fn close(&mut self) -> (Option<KBox<Turn>>, Option<Ring>) {
        self.closed = true;
        (self.turn.take(), self.ring.take())
    }
}
