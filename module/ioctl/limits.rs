// SPDX-License-Identifier: GPL-2.0
//! LIMITS.

use super::require;
use crate::{
    session::Session,
    sys::{
        node::is_administrator,
        uapi::{self, SISLM_LIMITS_SET},
        user::Argument,
    }, //
};
use kernel::{fs::File, prelude::*, sync::Arc};

#[inline(never)]
pub(super) fn limits(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    let mut request: uapi::Limits = argument.read()?;
    if !is_administrator(file) {
        return Err(EPERM);
    }
    require(request.flags & !SISLM_LIMITS_SET == 0)?;
    session.shared().users.limit(&mut request)?;
    argument.write(&request)
}
