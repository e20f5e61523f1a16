// SPDX-License-Identifier: GPL-2.0
//! Users who have nothing.

use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A domain.
pub(crate) type Path = [u64; 4];

/// Whose turns are computed when nobody else's wait.
pub(crate) const LAST: u64 = u64::MAX;

/// The rate of tokens: none.
pub(crate) mod bucket {
    /// Of no consequence here.
    pub(crate) struct Bucket;

    impl Bucket {
        /// Full.
        pub(crate) const fn new() -> Self {
            Self
        }
    }
}

/// A user.
pub(crate) struct User;

impl User {
    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        0
    }
}

/// A user within a cgroup namespace.
pub(crate) struct Namespace(Arc<User>);

impl Namespace {
    /// The user.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.0
    }

    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        0
    }
}

/// An open file's share of the limits.
pub(crate) struct Seat(Arc<Namespace>);

impl Seat {
    /// Of a new user.
    pub(crate) fn new() -> Result<Self> {
        let user = Arc::new(User, GFP_KERNEL_ACCOUNT)?;
        Ok(Self(Arc::new(Namespace(user), GFP_KERNEL_ACCOUNT)?))
    }

    /// Whose file it is.
    pub(crate) fn namespace(&self) -> &Arc<Namespace> {
        &self.0
    }
}
