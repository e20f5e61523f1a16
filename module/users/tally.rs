// SPDX-License-Identifier: GPL-2.0
//! What users have of something, each of them and together: who asks is told of their own.

use crate::users::User;
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{Atomic, Full, Relaxed},
        SpinLock, //
    },
};

/// What one user has.
struct Part {
    /// The user's number.
    user: u64,
    /// More than nothing.
    amount: u64,
}

/// What all have.
#[pin_data]
pub(crate) struct Tally {
    all: Atomic<u64>,
    #[pin]
    parts: SpinLock<KVVec<Part>>,
}

impl Tally {
    /// Nothing yet, of at most `users` users at a time.
    pub(crate) fn new(users: usize) -> Result<impl PinInit<Self>> {
        let parts = KVVec::with_capacity(users, GFP_KERNEL)?;
        Ok(pin_init!(Self {
            all: Atomic::new(0),
            parts <- new_spinlock!(parts, "sislm_tally"),
        }))
    }

    /// Adds `amount` to what `user` has; what all had before.
    pub(crate) fn add(&self, user: &User, amount: u64) -> u64 {
        let user = user.number();
        let mut parts = self.parts.lock();
        match parts.iter_mut().find(|part| part.user == user) {
            Some(part) => part.amount = part.amount.saturating_add(amount),
            // Not rejected: there is room for all users.
            None => drop(parts.push_within_capacity(Part { user, amount })),
        }
        self.all.fetch_add(amount, Full)
    }

    /// Takes back what [`Tally::add`] added.
    pub(crate) fn subtract(&self, user: &User, amount: u64) {
        let user = user.number();
        let mut parts = self.parts.lock();
        if let Some(part) = parts.iter_mut().find(|part| part.user == user) {
            part.amount = part.amount.saturating_sub(amount);
        }
        parts.retain(|part| part.amount != 0);
        self.all.fetch_sub(amount, Full);
    }

    /// What all have.
    pub(crate) fn all(&self) -> u64 {
        self.all.load(Relaxed)
    }

    /// What `user` has; of nobody in particular: what all have.
    pub(crate) fn of(&self, user: Option<&User>) -> u64 {
        let Some(user) = user else {
            return self.all();
        };
        let parts = self.parts.lock();
        let own = parts.iter().find(|part| part.user == user.number());
        own.map_or(0, |part| part.amount)
    }
}
