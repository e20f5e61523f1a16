// SPDX-License-Identifier: GPL-2.0
//! What the turns of a model compute in.

use crate::{
    models::{cost::Cost, pace::Pace},
    statistics::Statistics,
    sys::{
        model::{Facts, ModelMemory},
        neon::Section,
        sample::Sampler,
        step::{Adapters, Step},
    },
};
use kernel::{
    new_mutex, new_spinlock,
    prelude::*,
    sync::{Arc, Mutex, SpinLock},
};

/// The step of a model with the sampler that reads its logits: one set, for the longest context,
/// serves all turns.
#[pin_data(PinnedDrop)]
pub(crate) struct Workspace {
    /// The memory of a forward pass.
    pub(crate) step: Arc<Step>,
    /// The memory of sampling; locked by the holder of the baton only, so never contended.
    #[pin]
    pub(crate) sampler: Mutex<Sampler>,
    /// How long its steps take; locked like the sampler.
    #[pin]
    pub(crate) pace: SpinLock<Pace>,
    /// What they cost; locked like the sampler.
    #[pin]
    pub(crate) cost: SpinLock<Cost>,
    bytes: u64,
    statistics: Arc<Statistics>,
}

impl Workspace {
    pub(super) fn new(
        section: &mut Section,
        memory: &Arc<ModelMemory>,
        adapters: Adapters,
        facts: &Facts,
        slots: u32,
        statistics: &Arc<Statistics>,
    ) -> Result<Arc<Self>> {
        let step = Step::new(section, memory, adapters, facts, slots)?;
        let sampler = Sampler::new(section, memory)?;
        let bytes = step.bytes().saturating_add(sampler.bytes());
        let step = Arc::new(step, GFP_KERNEL)?;
        let workspace = Arc::pin_init(
            pin_init!(Self {
                step,
                sampler <- new_mutex!(sampler, "sislm_sampler"),
                pace <- new_spinlock!(Pace::new(), "sislm_pace"),
                cost <- new_spinlock!(Cost::new(), "sislm_cost"),
                bytes,
                statistics: statistics.clone(),
            }),
            GFP_KERNEL,
        )?;
        statistics.memory_steps.add(bytes);
        Ok(workspace)
    }

    /// Bytes of its memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

#[pinned_drop]
impl PinnedDrop for Workspace {
    fn drop(self: Pin<&mut Self>) {
        self.statistics.memory_steps.subtract(self.bytes);
    }
}
