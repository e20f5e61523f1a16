// SPDX-License-Identifier: GPL-2.0
//! The ioctls: one function each, which reads its structure once and writes it back once.

mod check;
mod models;
mod session;
mod text;

use crate::{
    session::Session,
    sys::user::Argument, //
};
use kernel::{fs::File, ioctl::_IOC_SIZE, prelude::*, sync::Arc};

/// The command without the size of its structure.
const fn unsized_command(cmd: u32) -> u32 {
    const SIZE: u32 = kernel::uapi::_IOC_SIZEMASK << kernel::uapi::_IOC_SIZESHIFT;
    cmd & !SIZE
}

macro_rules! dispatch {
    ($cmd:expr, $($command:ident => $call:expr,)*) => {{
        $(const $command: u32 = unsized_command(crate::sys::uapi::$command);)*
        match unsized_command($cmd) {
            $($command => $call,)*
            _ => Err(ENOTTY),
        }
    }};
}

/// Handles command `cmd` with argument `arg`. Unknown commands: `ENOTTY`.
pub(crate) fn handle(session: &Arc<Session>, file: &File, cmd: u32, arg: usize) -> Result {
    let argument = &Argument::new(cmd, arg);
    let bare = _IOC_SIZE(cmd) == 0;
    dispatch! { cmd,
        SISLM_IOC_QUERY => session::query(session, argument),
        SISLM_IOC_LOAD => models::load(session, file, argument),
        SISLM_IOC_UNLOAD => models::unload(session, file, argument),
        SISLM_IOC_PROGRESS => models::progress(session, argument),
        SISLM_IOC_MODEL => models::model(session, argument),
        SISLM_IOC_CONFIGURE => session::configure(session, argument),
        SISLM_IOC_RUN => session::run(session, argument),
        SISLM_IOC_TOKENIZE => text::tokenize(session, argument),
        SISLM_IOC_DETOKENIZE => text::detokenize(session, argument),
        SISLM_IOC_EVALUATE => session::evaluate(session, argument),
        SISLM_IOC_RESULT => session::result(session, argument),
        SISLM_IOC_RESET => if bare { session.reset() } else { Err(ENOTTY) },
        SISLM_IOC_CANCEL => if bare { session.settle() } else { Err(ENOTTY) },
        SISLM_IOC_STATISTICS => session::statistics(session, argument),
        SISLM_IOC_SELFTEST => check::selftest(session, argument),
        SISLM_IOC_BENCH => check::bench(session, argument),
    }
}

/// `EINVAL` unless `sound`.
fn require(sound: bool) -> Result {
    if sound {
        Ok(())
    } else {
        Err(EINVAL)
    }
}
