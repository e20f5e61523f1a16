// SPDX-License-Identifier: GPL-2.0
//! What all open files of the device share.

use crate::{
    limits::Limits,
    metrics::Metrics,
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
    pub(crate) registry: Arc<Registry>,
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
    /// What METRICS tells of all models.
    pub(crate) metrics: Arc<Metrics>,
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
        let metrics = Metrics::new()?;
        let recorder = Recorder::new(limits.records, limits.simd)?;
        let (counters, to) = (statistics.clone(), recorder.clone());
        let scheduler = Scheduler::new(&limits, counters, metrics.clone(), to)?;
        let registry = Registry::new(limits.models)?;
        let prompts = Prompts::new(limits.prompt_bytes)?;
        let quota = Quota::new(limits.kv_bytes)?;
        let users = Users::new(&limits, &statistics)?;
        Arc::pin_init(
            pin_init!(Self {
                registry,
                scheduler,
                prompts,
                quota,
                users,
                statistics,
                metrics,
                recorder,
                limits,
            }),
            GFP_KERNEL,
        )
    }

    /// The gauges of METRICS, of all models.
    pub(crate) fn tell_gauges(&self, to: &mut uapi::Metrics) {
        to.records = self.recorder.count();
        to.kv_bytes = self.quota.bytes();
        to.kv_max = self.limits.kv_bytes;
        to.model_bytes = self.registry.bytes();
        to.sessions = self.users.sessions();
        to.sessions_max = self.limits.sessions;
        // CAST: At most 256 models.
        to.models = self.registry.count() as u32;
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
