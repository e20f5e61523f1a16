// SPDX-License-Identifier: GPL-2.0
//! The ioctls: one function each, which reads its structure once and writes it back once.

mod aliases;
mod check;
mod limits;
mod metrics;
mod models;
mod session;
mod shadows;
mod text;
mod trace;
mod vocabulary;

use crate::{
    session::Session,
    sys::user::Argument, //
};
use kernel::{
    fs::{file::flags, File},
    ioctl::_IOC_SIZE,
    prelude::*,
    sync::Arc, //
};

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

/// Handles command `cmd` with argument `arg`. Unknown commands: `ENOTTY`. Calls that compute or
/// change something need a file that is open for writing: `EBADF`.
pub(crate) fn handle(session: &Arc<Session>, file: &File, cmd: u32, arg: usize) -> Result {
    let argument = &Argument::new(cmd, arg);
    let bare = _IOC_SIZE(cmd) == 0;
    dispatch! { cmd,
        SISLM_IOC_QUERY => session::query(session, file, argument),
        SISLM_IOC_LOAD => models::load(session, file, argument),
        SISLM_IOC_UNLOAD => models::unload(session, file, argument),
        SISLM_IOC_PROGRESS => models::progress(session, argument),
        SISLM_IOC_MODEL => models::model(session, file, argument),
        SISLM_IOC_CONFIGURE => writable(file, || session::configure(session, argument)),
        SISLM_IOC_RUN => writable(file, || session::run(session, argument)),
        SISLM_IOC_TOKENIZE => writable(file, || text::tokenize(session, argument)),
        SISLM_IOC_DETOKENIZE => writable(file, || text::detokenize(session, argument)),
        SISLM_IOC_EVALUATE => writable(file, || session::evaluate(session, argument)),
        SISLM_IOC_RESULT => session::result(session, argument),
        SISLM_IOC_RESET => writable(file, || bare_call(bare, || session.reset())),
        SISLM_IOC_CANCEL => writable(file, || bare_call(bare, || session.settle())),
        SISLM_IOC_STATISTICS => session::statistics(session, file, argument),
        SISLM_IOC_SELFTEST => writable(file, || check::selftest(session, argument)),
        SISLM_IOC_BENCH => writable(file, || check::bench(session, argument)),
        SISLM_IOC_METADATA => models::metadata(session, argument),
        SISLM_IOC_PROMPT => writable(file, || session::prompt(session, argument)),
        SISLM_IOC_VOCABULARY => writable(file, || vocabulary::vocabulary(session, argument)),
        SISLM_IOC_TRACE => trace::trace(session, file, argument),
        SISLM_IOC_METRICS => metrics::metrics(session, file, argument),
        SISLM_IOC_RECEIPT => session::receipt(session, argument),
        SISLM_IOC_ALIAS => aliases::alias(session, file, argument),
        SISLM_IOC_SHADOW => shadows::shadow(session, file, argument),
        SISLM_IOC_LIMITS => limits::limits(session, file, argument),
        SISLM_IOC_NEXT => writable(file, || session::next(session, argument)),
    }
}

/// Makes `call` when the file is open for writing.
fn writable(file: &File, call: impl FnOnce() -> Result) -> Result {
    if file.flags() & flags::O_ACCMODE == flags::O_RDONLY {
        return Err(EBADF);
    }
    call()
}

/// Makes a `call` that has no structure: `ENOTTY` when one is given.
fn bare_call(bare: bool, call: impl FnOnce() -> Result) -> Result {
    if bare {
        call()
    } else {
        Err(ENOTTY)
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
