// SPDX-License-Identifier: GPL-2.0
//! What a turn keeps for its record while it goes on.

use crate::{
    records::{recorder::Recorder, who::Who},
    sys::{
        trace,
        uapi::{Record, NAME_BYTES},
    }, //
};
use kernel::{
    sync::Arc,
    time::{Instant, Monotonic}, //
};

/// A record in the making.
pub(crate) struct Entry {
    recorder: Arc<Recorder>,
    who: Who,
    turn: u64,
    began: Instant<Monotonic>,
    queue_ns: Option<u64>,
    cpu_ns: u64,
    peers: u32,
    /// Whether it compares another turn's answer: these numbers are that one's.
    compares: bool,
}

impl Entry {
    /// Of turn `turn` of a file of `who`, which begins to wait for its first step.
    pub(crate) fn new(recorder: &Arc<Recorder>, who: Who, turn: u64) -> Self {
        Self {
            recorder: recorder.clone(),
            who,
            turn,
            began: Instant::now(),
            queue_ns: None,
            cpu_ns: 0,
            peers: 0,
            compares: false,
        }
    }

    /// As [`Entry::new`], of a turn that compares the answer of this one.
    pub(crate) fn of_comparison(recorder: &Arc<Recorder>, who: Who, turn: u64) -> Self {
        Self {
            compares: true,
            ..Self::new(recorder, who, turn)
        }
    }

    /// Whether it compares another turn's answer.
    pub(crate) fn compares(&self) -> bool {
        self.compares
    }

    /// Number of the turn.
    pub(crate) fn turn(&self) -> u64 {
        self.turn
    }

    /// Number of the file.
    pub(crate) fn session(&self) -> u64 {
        self.who.session
    }

    /// The turn begins, on the model of this name: so many ids of its prompt, and positions kept from before.
    pub(crate) fn begin(&self, model: &[u8; NAME_BYTES], prompt: u32, reused: u32) {
        if !self.compares {
            trace::turn_begin(self.who.session, self.turn, model, prompt, reused);
        }
    }

    /// The answer has `count` ids.
    pub(crate) fn token(&self, count: usize) {
        // CAST: Fewer ids than positions.
        trace::token(self.who.session, self.turn, count as u32);
    }

    /// Notes that it is in a step.
    pub(crate) fn join(&mut self) {
        let waited = self.began.elapsed().as_nanos();
        self.queue_ns
            .get_or_insert_with(|| u64::try_from(waited).unwrap_or(0));
    }

    /// Notes its share of the computing time of a step of `peers` turns.
    pub(crate) fn charge(&mut self, cpu_ns: u64, peers: u32) {
        self.cpu_ns = self.cpu_ns.saturating_add(cpu_ns);
        self.peers = self.peers.max(peers);
    }

    /// The turn is over: makes the record, the rest of which is given. `tell` adds what its user was served.
    pub(crate) fn close(&self, record: &mut Record, tell: impl FnOnce(&mut Record)) {
        self.who.sign(record);
        record.turn = self.turn;
        record.queue_ns = self.queue_ns.unwrap_or(0);
        record.cpu_ns = self.cpu_ns;
        record.peers = self.peers;
        self.recorder.record(record, tell);
        if !self.compares {
            let (session, turn) = (self.who.session, self.turn);
            trace::turn_end(session, turn, record.count, record.finish, self.cpu_ns);
        }
    }
}
