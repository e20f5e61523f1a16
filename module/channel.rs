// SPDX-License-Identifier: GPL-2.0
//! What goes from a turn to its session: text, and the turn itself when it is parked or over.

use crate::{
    ring::Ring,
    stop::HELD_MAX,
    turn::{Aim, Turn}, //
};
use kernel::prelude::*;

/// Guarded by a spinlock: nothing here sleeps.
pub(crate) struct Channel {
    ring: Option<Ring>,
    turn: Option<KBox<Turn>>,
    over: bool,
    closed: bool,
}

impl Channel {
    /// Empty.
    pub(crate) const fn new() -> Self {
        Self {
            ring: None,
            turn: None,
            over: false,
            closed: false,
        }
    }

    /// Makes ready for a turn. The ring given is used unless there is one.
    pub(crate) fn begin(&mut self, ring: &mut Option<Ring>) {
        if self.ring.is_none() {
            self.ring = ring.take();
        }
        if let Some(ring) = &mut self.ring {
            ring.clear();
        }
        self.over = false;
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

    /// Copies the first text without taking it.
    pub(crate) fn peek(&self, text: &mut [u8]) -> usize {
        self.ring.as_ref().map_or(0, |ring| ring.peek(text))
    }

    /// Takes text away.
    pub(crate) fn consume(&mut self, count: usize) {
        if let Some(ring) = &mut self.ring {
            ring.consume(count);
        }
    }

    /// Drops what text there is.
    pub(crate) fn clear(&mut self) {
        if let Some(ring) = &mut self.ring {
            ring.clear();
        }
    }

    /// Whether there is text.
    pub(crate) fn has_text(&self) -> bool {
        self.ring.as_ref().is_some_and(|ring| !ring.is_empty())
    }

    /// Whether a reader would get text or the end.
    pub(crate) fn is_readable(&self) -> bool {
        self.over || self.has_text()
    }

    /// Whether there is a turn to take.
    pub(crate) fn has_turn(&self) -> bool {
        self.turn.is_some()
    }

    /// Puts a turn here, or gives it back when the session is closed: then it must be dropped.
    pub(crate) fn put(&mut self, turn: KBox<Turn>) -> Option<KBox<Turn>> {
        if self.closed {
            return Some(turn);
        }
        self.over |= turn.is_over();
        self.turn.replace(turn)
    }

    /// Takes the turn.
    pub(crate) fn take(&mut self) -> Option<KBox<Turn>> {
        self.turn.take()
    }

    /// Takes the turn if it waits for room for text, and there is room.
    pub(crate) fn take_resumable(&mut self) -> Option<KBox<Turn>> {
        let waits = |turn: &KBox<Turn>| matches!(turn.aim, Aim::Generate(_)) && !turn.is_over();
        if self.free() < HELD_MAX || !self.turn.as_ref().is_some_and(waits) {
            return None;
        }
        self.turn.take()
    }

    /// No turn is put here any more; gives what is here.
    pub(crate) fn close(&mut self) -> (Option<KBox<Turn>>, Option<Ring>) {
        self.closed = true;
        (self.turn.take(), self.ring.take())
    }
}
