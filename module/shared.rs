// SPDX-License-Identifier: GPL-2.0
//! What all open files of the device share.

use crate::{
    limits::Limits,
    registry::Registry,
    scheduler::Scheduler,
    statistics::Statistics,
    sys::{check, neon::Section, uapi}, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc, //
    },
};

/// The module's state.
#[pin_data]
pub(crate) struct Shared {
    /// Checked parameters.
    pub(crate) limits: Limits,
    /// The loaded models.
    #[pin]
    pub(crate) registry: Registry,
    /// Who computes.
    pub(crate) scheduler: Arc<Scheduler>,
    /// Counters.
    pub(crate) statistics: Arc<Statistics>,
    sessions: Atomic<u32>,
}

impl Shared {
    /// By the module's parameters. `EINVAL`: a parameter out of range, or an engine of another ABI.
    pub(crate) fn from_parameters() -> Result<Arc<Self>> {
        let limits = Limits::from_parameters()?;
        if !check::abi_matches(&mut Section::new()?) {
            pr_err!("the engine object was built for another module\n");
            return Err(EINVAL);
        }
        let statistics = Arc::new(Statistics::new(), GFP_KERNEL)?;
        let scheduler = Scheduler::new(&limits, statistics.clone())?;
        let registry = Registry::new(limits.models)?;
        Arc::pin_init(
            pin_init!(Self {
                limits,
                registry <- registry,
                scheduler,
                statistics,
                sessions: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    /// Open files.
    pub(crate) fn sessions(&self) -> u32 {
        self.sessions.load(Relaxed)
    }

    /// The answer of STATISTICS.
    pub(crate) fn answer_statistics(&self) -> uapi::Statistics {
        let now = &self.statistics;
        uapi::Statistics {
            turns: now.turns.get(),
            prompt_tokens: now.prompt_tokens.get(),
            tokens: now.tokens.get(),
            prefill_ns: now.prefill_ns.get(),
            decode_ns: now.decode_ns.get(),
            steps: now.steps.get(),
            sections: now.sections.get(),
            longest_section: now.longest_section.get(),
            kv_blocks: now.kv_blocks.get(),
            kv_bytes: self.registry.kv_bytes(),
            positions_computed: now.positions_computed.get(),
            positions_reused: now.positions_reused.get(),
            memory_models: self.registry.bytes(),
            memory_steps: now.memory_steps.get(),
            memory_sessions: now.memory_sessions.get(),
            cancelled: now.cancelled.get(),
        }
    }

    /// Counts another session; `ENFILE` over the limit.
    pub(crate) fn enter(self: &Arc<Self>) -> Result<Seat> {
        if self.sessions.fetch_add(1, Full) >= self.limits.sessions {
            self.sessions.fetch_sub(1, Full);
            return Err(ENFILE);
        }
        Ok(Seat {
            shared: self.clone(),
        })
    }
}

/// A session's share of the limit on sessions; given back when dropped.
pub(crate) struct Seat {
    /// The module's state.
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.sessions.fetch_sub(1, Full);
    }
}
