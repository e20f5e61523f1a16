// SPDX-License-Identifier: GPL-2.0
//! How much memory keys and values may take: of the machine, of a model, and of a user.

use crate::users::{Tally, User};
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

    /// Bytes in use, by each user.
    pub(crate) fn bytes(&self) -> &Tally {
        &self.bytes
    }

    /// Counts `bytes` for `user`. `EDQUOT`: over half of what others leave, so that they can always
    /// begin.
    pub(crate) fn charge(self: &Arc<Self>, user: &Arc<User>, bytes: u64) -> Result<Charge> {
        // Taken back when dropped, so also when it is too much.
        let charge = Charge {
            pool: self.clone(),
            user: user.clone(),
            bytes,
        };
        self.bytes.add(user, bytes);
        let own = user.add_kv(bytes);
        let all = self.quota.bytes.fetch_add(bytes, Full);
        let left = self.quota.limit.saturating_sub(all.saturating_sub(own));
        if own.saturating_add(bytes) > left / 2 {
            return Err(crate::sys::errno::EDQUOT());
        }
        Ok(charge)
    }
}

/// Bytes counted; given back when dropped.
pub(crate) struct Charge {
    pool: Arc<Pool>,
    user: Arc<User>,
    bytes: u64,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.pool.bytes.subtract(&self.user, self.bytes);
        self.pool.quota.bytes.fetch_sub(self.bytes, Full);
        self.user.subtract_kv(self.bytes);
    }
}
