// SPDX-License-Identifier: GPL-2.0
//! SHADOW.

use super::require;
use crate::{
    models::name::{Name, Wanted},
    session::Session,
    sys::{
        node::is_administrator,
        uapi::{self, SISLM_SHADOW_SET},
        user::Argument,
    }, //
};
use kernel::{fs::File, prelude::*, sync::Arc};

/// All turns are compared.
const PERMILLE_MAX: u32 = 1000;

#[inline(never)]
pub(super) fn shadow(session: &Arc<Session>, file: &File, argument: &Argument) -> Result {
    // What others do is none of another caller's business.
    if !is_administrator(file) {
        return Err(EPERM);
    }
    // On the heap: it is larger than a stack should hold.
    let mut request: KBox<uapi::Shadow> = argument.read_boxed()?;
    require(request.flags & !SISLM_SHADOW_SET == 0 && request.pad == 0)?;
    let alias = Name::optional(request.alias)?;
    let shared = session.shared();
    if request.flags & SISLM_SHADOW_SET != 0 {
        let alias = alias.ok_or(EINVAL)?;
        require(request.index == 0 && request.permille <= PERMILLE_MAX)?;
        match Wanted::optional(request.shadow)? {
            Some(wanted) => {
                require(wanted.version.is_some())?;
                let (permille, context) = (request.permille, shared.limits.context);
                let registry = &shared.registry;
                registry.set_shadow(alias, wanted, permille, context)?;
            }
            None => {
                require(request.permille == 0)?;
                shared.registry.end_shadow(alias)?;
                return argument.write(&*request);
            }
        }
    }
    shared.registry.tell_shadow(alias, &mut request)?;
    argument.write(&*request)
}
