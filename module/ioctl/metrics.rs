// SPDX-License-Identifier: GPL-2.0
//! METRICS.

use super::require;
use crate::{
    models::name::Wanted,
    session::Session,
    sys::{node::is_administrator, uapi, user::Argument}, //
};
use kernel::{fs::File, prelude::*, sync::Arc};

#[inline(never)]
pub(super) fn metrics(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    // What others do is none of another caller's business.
    if !is_administrator(file) {
        return Err(EPERM);
    }
    // On the heap: it is larger than a stack should hold.
    let mut request: KBox<uapi::Metrics> = argument.read_boxed()?;
    require(request.flags == 0 && request.pad == 0 && request.pad2 == 0)?;
    let shared = session.shared();
    match Wanted::optional(request.name)? {
        Some(wanted) => {
            let number = session.link.who().session;
            let model = shared.registry.get(wanted, number)?;
            model.tell_metrics(&mut request);
        }
        None => {
            shared.metrics.tell(&mut request);
            shared.tell_gauges(&mut request);
        }
    }
    argument.write(&*request)
}
