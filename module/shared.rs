// SPDX-License-Identifier: GPL-2.0
//! What all open files of the device share.

use crate::{
    limits::Limits,
    models::registry::Registry,
    records::recorder::Recorder,
    sched::scheduler::Scheduler,
    statistics::Statistics,
    sys::{check, neon::Section, uapi},
    users::{prompts::Prompts, quota::Quota, Users}, //
};
use kernel::{prelude::*, sync::Arc};

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
    /// Memory of keys and values.
    pub(crate) quota: Arc<Quota>,
    /// Prompts that wait.
    pub(crate) prompts: Arc<Prompts>,
    /// Who has open files.
    pub(crate) users: Arc<Users>,
    /// Counters.
    pub(crate) statistics: Arc<Statistics>,
    /// Decision records.
    pub(crate) recorder: Arc<Recorder>,
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
            try_pin_init!(Self {
                registry <- registry,
                scheduler,
                quota: Quota::new(limits.kv_bytes)?,
                prompts: Prompts::new(limits.prompt_bytes)?,
                users: Users::new(&limits, &statistics)?,
                statistics,
                recorder: Recorder::new(limits.records, limits.simd)?,
                limits,
            }? Error),
            GFP_KERNEL,
        )
    }

    /// The answer of STATISTICS for an administrator: of all users.
    pub(crate) fn answer_statistics(&self) -> uapi::Statistics {
        uapi::Statistics {
            kv_bytes: self.quota.bytes(),
            memory_models: self.registry.bytes(),
            ..self.statistics.answer()
        }
    }
}
