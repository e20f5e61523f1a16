// SPDX-License-Identifier: GPL-2.0
//! How much memory keys and values may take: of the machine, of a model, and of a user.

use crate::{
    sys::errno::EDQUOT,
    users::{Namespace, Tally}, //
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        Arc, //
    },
};

/// That of the machine.
pub(crate) struct Quota {
    limit: u64,
    bytes: Atomic<u64>,
}

impl Quota {
    /// With a limit in bytes.
    pub(crate) fn new(limit: u64) -> Result<Arc<Self>> {
        let bytes = Atomic::new(0);
        Ok(Arc::new(Self { limit, bytes }, GFP_KERNEL)?)
    }

    /// Bytes in use.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// Bytes that may be taken for a session of this user; others may be faster.
    pub(crate) fn left(&self, namespace: &Namespace) -> u64 {
        let (allowance, all) = (namespace.user().allowance(), self.bytes());
        let own = namespace.user().account().kv_bytes.get();
        let here = namespace.account().kv_bytes.get();
        let left = match allowance.user.kv_bytes {
            u64::MAX => {
                (self.limit.saturating_sub(all.saturating_sub(own)) / 2).saturating_sub(own)
            }
            most => self.limit.saturating_sub(all).min(most.saturating_sub(own)),
        };
        left.min(allowance.namespace.kv_bytes.saturating_sub(here))
    }

    /// Whether a user with `own` bytes may have `more`, when `all` are in use.
    fn allow(&self, namespace: &Namespace, all: u64, own: u64, more: u64) -> Result {
        let left = self.limit.saturating_sub(all.saturating_sub(own));
        if own.saturating_add(more) <= left / 2 {
            return Ok(());
        }
        match namespace.user().allowance().user.kv_bytes {
            u64::MAX => Err(EDQUOT()),
            _ if all.saturating_add(more) > self.limit => Err(ENOMEM),
            // An administrator has said how much it may be.
            _ => Ok(()),
        }
    }
}

/// That of a model, which is only counted.
#[pin_data]
pub(crate) struct Pool {
    quota: Arc<Quota>,
    #[pin]
    bytes: Tally,
}

impl Pool {
    /// Empty, within `quota`, of at most `users` users at a time.
    pub(crate) fn new(quota: &Arc<Quota>, users: usize) -> Result<Arc<Self>> {
        let quota = quota.clone();
        let bytes = Tally::new(users)?;
        Arc::pin_init(
            pin_init!(Self {
                quota,
                bytes <- bytes,
            }),
            GFP_KERNEL,
        )
    }

    /// Whether more than half of what the machine may have is in use.
    pub(crate) fn is_scarce(&self) -> bool {
        self.quota.bytes() > self.quota.limit / 2
    }

    /// Bytes in use, by each user.
    pub(crate) fn bytes(&self) -> &Tally {
        &self.bytes
    }

    /// Counts `bytes` for a user. `EDQUOT`: over what the user may have, or over half of what others
    /// leave, so that they can always begin; `ENOMEM`: over that of the machine.
    pub(crate) fn charge(
        self: &Arc<Self>,
        namespace: &Arc<Namespace>,
        bytes: u64,
    ) -> Result<Charge> {
        // Taken back when dropped, so also when it is too much.
        let charge = Charge {
            pool: self.clone(),
            namespace: namespace.clone(),
            bytes,
        };
        self.bytes.add(namespace.user(), bytes);
        let (own, allowed) = namespace.add(|all| &all.kv_bytes, |most| most.kv_bytes, bytes);
        let all = self.quota.bytes.fetch_add(bytes, Full);
        let allowed = allowed.and_then(|()| self.quota.allow(namespace, all, own, bytes));
        if allowed.is_err() {
            let statistics = namespace.user().statistics();
            statistics.add(|all| &all.kv_refused, 1);
        }
        allowed.map(|()| charge)
    }
}

/// Bytes counted; given back when dropped.
pub(crate) struct Charge {
    pool: Arc<Pool>,
    namespace: Arc<Namespace>,
    bytes: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.pool.bytes.subtract(self.namespace.user(), self.bytes);
        self.pool.quota.bytes.fetch_sub(self.bytes, Full);
        self.namespace.subtract(|all| &all.kv_bytes, self.bytes);
    }
}
