// SPDX-License-Identifier: GPL-2.0
//! Counters since the module was loaded, of all users or of one.

use crate::sys::uapi;
use kernel::sync::{
    atomic::{Atomic, Relaxed},
    Arc,
};

/// A counter that only grows, or a maximum.
pub(crate) struct Counter(Atomic<u64>);

impl Counter {
    /// Zero.
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Adds `value`.
    pub(crate) fn add(&self, value: u64) {
        self.0.fetch_add(value, Relaxed);
    }

    /// Takes `value` back.
    pub(crate) fn subtract(&self, value: u64) {
        self.0.fetch_sub(value, Relaxed);
    }

    /// Raises it to `value`.
    pub(crate) fn raise(&self, value: u64) {
        let mut now = self.get();
        while value > now {
            match self.0.cmpxchg(now, value, Relaxed) {
                Ok(_) => return,
                Err(other) => now = other,
            }
        }
    }

    /// Its value.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// The counters of `struct sislm_statistics`: of all users, or of one.
pub(crate) struct Statistics {
    /// Those of all users, where one's are counted too.
    all: Option<Arc<Statistics>>,
    /// Turns started.
    pub(crate) turns: Counter,
    /// Tokens of prompts.
    pub(crate) prompt_tokens: Counter,
    /// Generated tokens.
    pub(crate) tokens: Counter,
    /// Time until the first logits.
    pub(crate) prefill_ns: Counter,
    /// Time from the first logits on.
    pub(crate) decode_ns: Counter,
    /// Forward passes.
    pub(crate) steps: Counter,
    /// NEON sections with chunks of a step.
    pub(crate) sections: Counter,
    /// Most work in one section, weight bytes.
    pub(crate) longest_section: Counter,
    /// Blocks of keys and values in use.
    pub(crate) kv_blocks: Counter,
    /// Positions whose keys and values were computed.
    pub(crate) positions_computed: Counter,
    /// Positions kept from earlier turns.
    pub(crate) positions_reused: Counter,
    /// Memory of steps.
    pub(crate) memory_steps: Counter,
    /// Memory of open files.
    pub(crate) memory_sessions: Counter,
    /// Turns ended before their end.
    pub(crate) cancelled: Counter,
    /// Computing time of turns' shares of steps.
    pub(crate) served_ns: Counter,
    /// Most computing time of a step.
    pub(crate) longest_step: Counter,
    /// Turns ended at their deadline.
    pub(crate) expired: Counter,
    /// Tokens held back for a rate.
    pub(crate) paced: Counter,
    /// Files that were not opened for a limit.
    pub(crate) sessions_refused: Counter,
    /// Blocks that were not taken for a limit.
    pub(crate) kv_refused: Counter,
    /// Prompts that were not taken for a limit.
    pub(crate) prompts_refused: Counter,
}

impl Statistics {
    /// Of all users: all zero.
    pub(crate) const fn new() -> Self {
        Self {
            all: None,
            turns: Counter::new(),
            prompt_tokens: Counter::new(),
            tokens: Counter::new(),
            prefill_ns: Counter::new(),
            decode_ns: Counter::new(),
            steps: Counter::new(),
            sections: Counter::new(),
            longest_section: Counter::new(),
            kv_blocks: Counter::new(),
            positions_computed: Counter::new(),
            positions_reused: Counter::new(),
            memory_steps: Counter::new(),
            memory_sessions: Counter::new(),
            cancelled: Counter::new(),
            served_ns: Counter::new(),
            longest_step: Counter::new(),
            expired: Counter::new(),
            paced: Counter::new(),
            sessions_refused: Counter::new(),
            kv_refused: Counter::new(),
            prompts_refused: Counter::new(),
        }
    }

    /// Of a user, which those of `all` include.
    pub(crate) fn of_user(all: &Arc<Self>) -> Self {
        Self {
            all: Some(all.clone()),
            ..Self::new()
        }
    }

    /// Adds `value` to a counter, and to that of all users.
    pub(crate) fn add(&self, counter: impl Fn(&Self) -> &Counter, value: u64) {
        counter(self).add(value);
        if let Some(all) = &self.all {
            counter(all).add(value);
        }
    }

    /// Takes `value` back from a counter, and from that of all users.
    pub(crate) fn subtract(&self, counter: impl Fn(&Self) -> &Counter, value: u64) {
        counter(self).subtract(value);
        if let Some(all) = &self.all {
            counter(all).subtract(value);
        }
    }

    /// Writes into a record of a turn what its user and all were served.
    pub(crate) fn tell(&self, record: &mut uapi::Record) {
        let all = self.all.as_deref().unwrap_or(self);
        record.served_ns = self.served_ns.get();
        record.all_served_ns = all.served_ns.get();
        record.longest_step_ns = all.longest_step.get();
    }

    /// The answer of STATISTICS, as far as these counters go.
    pub(crate) fn answer(&self) -> uapi::Statistics {
        uapi::Statistics {
            turns: self.turns.get(),
            prompt_tokens: self.prompt_tokens.get(),
            tokens: self.tokens.get(),
            prefill_ns: self.prefill_ns.get(),
            decode_ns: self.decode_ns.get(),
            steps: self.steps.get(),
            sections: self.sections.get(),
            longest_section: self.longest_section.get(),
            kv_blocks: self.kv_blocks.get(),
            positions_computed: self.positions_computed.get(),
            positions_reused: self.positions_reused.get(),
            memory_steps: self.memory_steps.get(),
            memory_sessions: self.memory_sessions.get(),
            cancelled: self.cancelled.get(),
            served_ns: self.served_ns.get(),
            longest_step_ns: self.longest_step.get(),
            expired: self.expired.get(),
            paced: self.paced.get(),
            sessions_refused: self.sessions_refused.get(),
            kv_refused: self.kv_refused.get(),
            prompts_refused: self.prompts_refused.get(),
            ..Default::default()
        }
    }
}
