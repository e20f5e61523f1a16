// SPDX-License-Identifier: GPL-2.0
//! A user within a cgroup namespace: a container has one of its own, as a rule, and all containers'
//! roots may be one user.

use crate::{
    sys::errno::EDQUOT,
    users::{
        account::{Account, Usage},
        allowance::Most,
        User,
    }, //
};
use kernel::{prelude::*, sync::Arc};

/// What the user's files that were opened there have.
pub(crate) struct Namespace {
    user: Arc<User>,
    /// Never used again.
    id: u64,
    account: Account,
}

impl Namespace {
    /// With nothing.
    pub(crate) fn new(user: Arc<User>, id: u64) -> Result<Arc<Self>> {
        let account = Account::new();
        Ok(Arc::new(Self { user, id, account }, GFP_KERNEL_ACCOUNT)?)
    }

    /// The user.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.user
    }

    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// What is in use there.
    pub(crate) fn account(&self) -> &Account {
        &self.account
    }

    /// Adds `amount` to what is in use here and by the user; what the user had before. `EDQUOT`: over
    /// what the user may have. [`Namespace::subtract`] takes it back in either case.
    pub(crate) fn add(
        &self,
        usage: impl Fn(&Account) -> &Usage,
        most: impl Fn(&Most) -> u64,
        amount: u64,
    ) -> (u64, Result) {
        let here = usage(&self.account).add(amount);
        let own = usage(self.user.account()).add(amount);
        let allowance = self.user.allowance();
        let over = here.saturating_add(amount) > most(&allowance.namespace)
            || own.saturating_add(amount) > most(&allowance.user);
        (own, if over { Err(EDQUOT()) } else { Ok(()) })
    }

    /// Takes back what [`Namespace::add`] added.
    pub(crate) fn subtract(&self, usage: impl Fn(&Account) -> &Usage, amount: u64) {
        usage(&self.account).subtract(amount);
        usage(self.user.account()).subtract(amount);
    }
}
