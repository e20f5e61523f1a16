// SPDX-License-Identifier: GPL-2.0
//! What wakes who compares.

use crate::sys::wait::WaitQueue;
use kernel::{
    prelude::*,
    sync::{
        atomic::{AtomicFlag, Full, Relaxed},
        Arc, //
    },
};

/// Tells who compares that there is something to do.
#[pin_data]
pub(crate) struct Bell {
    /// Woken for it.
    #[pin]
    pub(crate) wait: WaitQueue,
    rung: AtomicFlag,
}

impl Bell {
    /// Silent.
    pub(crate) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                wait <- WaitQueue::new(),
                rung: AtomicFlag::new(false),
            }),
            GFP_KERNEL,
        )
    }

    /// Whether it was rung.
    pub(crate) fn is_rung(&self) -> bool {
        self.rung.load(Relaxed)
    }

    /// Silences it: what it was rung for is seen from here on.
    pub(crate) fn silence(&self) {
        self.rung.xchg(false, Full);
    }

    /// Rings it.
    pub(super) fn ring(&self) {
        self.rung.xchg(true, Full);
        self.wait.wake_all();
    }
}
