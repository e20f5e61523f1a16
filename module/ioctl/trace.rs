// SPDX-License-Identifier: GPL-2.0
//! TRACE.

use super::require;
use crate::{
    records::reader,
    session::Session,
    sys::{node::is_administrator, uapi, user::Argument}, //
};
use kernel::{fs::File, prelude::*, sync::Arc};

#[inline(never)]
pub(super) fn trace(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    if !is_administrator(file) {
        return Err(EPERM);
    }
    let mut request: uapi::Trace = argument.read()?;
    require(request.flags == 0)?;
    reader::open(&session.shared().recorder, |descriptor| {
        request.fd = descriptor;
        argument.write(&request)
    })
}
