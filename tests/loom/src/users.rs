// SPDX-License-Identifier: GPL-2.0
//! Users who have nothing.

use kernel::{
    prelude::*,
    sync::Arc, //
};

/// A user.
pub(crate) struct User;

/// An open file's share of the limits.
pub(crate) struct Seat(Arc<User>);

impl Seat {
    /// Of a new user.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Arc::new(User, GFP_KERNEL_ACCOUNT)?))
    }

    /// Whose file it is.
    pub(crate) fn user(&self) -> &Arc<User> {
        &self.0
    }
}
