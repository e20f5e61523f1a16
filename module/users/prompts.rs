// SPDX-License-Identifier: GPL-2.0
//! The prompts that wait for somebody who asks for their answers: their bytes are limited.

use crate::users::{account::Usage, Namespace};
use kernel::{
    prelude::*,
    sync::{Arc, ArcBorrow},
};

/// Those of all users.
pub(crate) struct Prompts {
    most: u64,
    bytes: Usage,
}

/// Bytes counted; given back when dropped.
pub(crate) struct Waiting {
    prompts: Arc<Prompts>,
    namespace: Arc<Namespace>,
    bytes: u64,
}

impl Prompts {
    /// None, of at most so many bytes.
    pub(crate) fn new(most: u64) -> Result<Arc<Self>> {
        let bytes = Usage::new();
        Ok(Arc::new(Self { most, bytes }, GFP_KERNEL)?)
    }

    /// Counts `bytes` more. `EDQUOT`: over what the user may have; `ENOMEM`: over that of all.
    pub(crate) fn wait(
        this: ArcBorrow<'_, Self>,
        namespace: &Arc<Namespace>,
        bytes: usize,
    ) -> Result<Waiting> {
        // Taken back when dropped, so also when it is too much.
        let waiting = Waiting {
            prompts: this.into(),
            namespace: namespace.clone(),
            bytes: bytes as u64,
        };
        let bytes = waiting.bytes;
        let all = this.bytes.add(bytes);
        let (_, allowed) = namespace.add(|all| &all.prompt_bytes, |most| most.prompt_bytes, bytes);
        let fits = all.saturating_add(bytes) <= this.most;
        let allowed = allowed.and(if fits { Ok(()) } else { Err(ENOMEM) });
        if allowed.is_err() {
            let statistics = namespace.user().statistics();
            statistics.add(|all| &all.prompts_refused, 1);
        }
        allowed.map(|()| waiting)
    }
}

impl Waiting {
    /// Those of `other` too.
    pub(crate) fn join(&mut self, mut other: Self) {
        self.bytes = self.bytes.saturating_add(core::mem::take(&mut other.bytes));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.prompts.bytes.subtract(self.bytes);
        self.namespace.subtract(|all| &all.prompt_bytes, self.bytes);
    }
}
